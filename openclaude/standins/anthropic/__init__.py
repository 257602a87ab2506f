"""The stand-in for Anthropic."""
