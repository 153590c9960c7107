"""Writes that people decide, one verb a function; each in one transaction."""
