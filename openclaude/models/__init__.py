"""LiteLLM's map of models: prices, capabilities, the nearest name to a wrong one."""
