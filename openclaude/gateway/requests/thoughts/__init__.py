"""Asks a model for its thoughts, and gives them back to it."""
