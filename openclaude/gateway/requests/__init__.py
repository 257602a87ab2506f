"""Fits a request to a slot's model."""
