"""The only code that touches LiteLLM's internals: endpoints, warm-up, credentials."""
