"""Imported before any other module here: stops the start if the installed LiteLLM is incompatible.

Knows: when the check must be made. Independent of: what is checked (`names`).
"""

from openclaude.gateway.litellm.names import require_used

require_used()
