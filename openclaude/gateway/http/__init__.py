"""HTTP inside an instance: ASGI, server-sent events, access control; nothing of LiteLLM."""
