"""Signing in, and what is one's own: password, second factor, sessions."""
