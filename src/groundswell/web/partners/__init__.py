"""The list of partners."""
