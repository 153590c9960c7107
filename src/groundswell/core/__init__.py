"""Every rule. Pure: no clock, no chance, no database, no network."""
