"""`openclaude models`: searches the models that LiteLLM knows."""
