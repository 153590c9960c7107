"""Queries for screens, commands and agents. They return plain dataclasses, and change nothing."""
