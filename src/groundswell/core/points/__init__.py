"""Points: what a score gives for signals. Pure arithmetic in exact fractions; no data."""
