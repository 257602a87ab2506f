"""What importing LiteLLM leaves for later: adapters, routes and modules few may need."""
