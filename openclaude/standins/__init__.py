"""Loopback stand-ins of Anthropic and of the providers, for the demo, tests and benchmarks."""
