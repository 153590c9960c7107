"""Instances of made data, which nobody mourns."""

MADE = "made-by-demo"
"""The file that marks one: `groundswell demo` empties it at its next start, and pages say what it is."""
