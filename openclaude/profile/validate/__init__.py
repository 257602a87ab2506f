"""Finds the mistakes in a profile, and what deserves a warning."""
