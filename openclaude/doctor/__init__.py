"""What could be wrong, found out before it goes wrong."""
