"""A made partner programme with planted truths, written as the messy exports that real systems give."""
