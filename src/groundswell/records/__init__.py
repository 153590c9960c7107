"""What we remember: loads, runs and what they published. The one Django app with models."""
