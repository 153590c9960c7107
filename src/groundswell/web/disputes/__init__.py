"""What people say is wrong."""
