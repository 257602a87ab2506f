"""Rewrites a slot's errors into messages that claude can show."""
