"""Secret references on their way into a plan: each becomes the name of a variable.

Knows: how a variable is called. Independent of: the secret. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.contracts.references import SecretRef, is_secret, parse_secret

PREFIX = "OPENCLAUDE_SECRET_"
LITELLM_VARIABLE = "os.environ/"  # how LiteLLM's config names a variable


class Secrets:
    """The references of one plan, numbered in the order they are met."""

    def __init__(self) -> None:
        self.variables: dict[str, SecretRef] = {}

    def variable(self, reference: SecretRef) -> str:
        """The variable in which an instance finds what `reference` points to."""
        for name, known in self.variables.items():
            if known == reference:
                return name
        name = f"{PREFIX}{len(self.variables) + 1}"
        self.variables[name] = reference
        return name

    def hide(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` with every reference replaced by its variable, as LiteLLM's config writes it."""
        return {name: self._hidden(value) for name, value in params.items()}

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.hide(value)
        if isinstance(value, list):
            return [self._hidden(one) for one in value]
        return LITELLM_VARIABLE + self.variable(parse_secret(value)) if is_secret(value) else value
