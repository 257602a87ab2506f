"""Imported before any other module here: stops the start if the installed LiteLLM is incompatible.

Knows: when the check must be made, and that it is what imports LiteLLM. Independent of: what is
checked (`names`), and how the import is made shorter (`late`).
"""

from openclaude.gateway.late.imports import importing_less
from openclaude.gateway.litellm.names import require_used

with importing_less():
    require_used()
