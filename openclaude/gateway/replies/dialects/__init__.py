"""Reads and writes replies in each provider's API."""
