"""Repairs a slot's replies into what claude can keep."""
