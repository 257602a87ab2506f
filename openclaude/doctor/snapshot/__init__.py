"""Looks at the machine once, for all checks."""
