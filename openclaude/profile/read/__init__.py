"""Reads and merges profile files; every value knows its file and line."""
