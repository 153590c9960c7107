"""The overview: the programme on one page."""
