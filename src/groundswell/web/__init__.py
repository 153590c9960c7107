"""Pages for our own people: they show and ask, and decide nothing. A folder is a screen."""
