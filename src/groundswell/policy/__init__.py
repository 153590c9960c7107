"""Every number and word a customer may change, in TOML, and the reader of these files."""
