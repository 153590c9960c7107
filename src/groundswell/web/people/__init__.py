"""Our own people and their rights."""
