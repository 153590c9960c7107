"""Groundswell says which partners are ready, why, and from which rows."""

__version__ = "0.1.0"
