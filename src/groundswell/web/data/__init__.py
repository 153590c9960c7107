"""Sources, quarantine, mappings, jobs."""
