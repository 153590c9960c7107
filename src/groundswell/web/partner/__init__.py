"""One partner."""
