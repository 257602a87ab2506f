"""The code inside the two LiteLLM instances: the router in main, the guard in providers."""
