"""What the command line says: figures rounded for reading, each with its range, coverage and day."""
