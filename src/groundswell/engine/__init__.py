"""Where the tables live: landings, lake, and the engine that reads them as of a day."""
