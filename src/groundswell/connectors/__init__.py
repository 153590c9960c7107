"""Other systems: one folder each. A connector knows shapes of files and names of columns, and never a score."""
