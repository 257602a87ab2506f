"""Loopback stand-ins for Anthropic and Bedrock, used by the demo."""
