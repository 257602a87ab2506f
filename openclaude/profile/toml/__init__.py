"""Locates and edits keys in a TOML text; knows nothing of profiles."""
