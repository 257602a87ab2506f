"""Has images described for a slot's model that cannot see them."""
