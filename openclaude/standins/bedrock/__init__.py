"""The stand-in for Bedrock: what it checks, what it answers."""
