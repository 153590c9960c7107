"""Signals: measured facts about a partner as of a day, declared in policy and compiled to SQL."""
