"""Speed as ratios: what a user would otherwise pick, and ours, on the same file in the same run."""
