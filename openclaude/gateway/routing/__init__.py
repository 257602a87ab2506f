"""Chooses the route of a request inside main, and handles its reply on the way back."""
