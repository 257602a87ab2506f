"""Counts the tokens of a slot's request with its provider, where the provider can."""
