"""Files of any system: bytes to rows of text, headers to columns, columns to typed rows of the canonical tables."""
