"""Providers: what each needs to be reached, as LiteLLM knows it.

Knows: the variable a provider's key is by custom in, which ones run on the user's own machine.
Refuses to know: models, which are the catalogue's; how a request is made, which is LiteLLM's.
"""

from __future__ import annotations

from typing import NamedTuple


class Provider(NamedTuple):
    """One of LiteLLM's providers, by the prefix of its models."""

    name: str
    key: str = ""  # the variable its key is in, where a profile names no other; "" for no key
    base: str = ""  # where it is, where a profile does not say; "" for LiteLLM's own address
    needs_base: bool = False  # there is no address that could be guessed
    needs_key: bool = True
    params: tuple[str, ...] = ()  # of `params`, those it cannot do without


BEDROCK = "bedrock"
ANTHROPIC = "anthropic"
# Where LiteLLM's own address or the usual name of the variable would be wrong.
PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider(BEDROCK, needs_key=False),
        # a third party that speaks Anthropic's language, never Anthropic itself
        Provider(ANTHROPIC, needs_base=True),
        Provider("azure", needs_base=True),
        Provider("vertex_ai", needs_key=False, params=("vertex_project", "vertex_location")),
        Provider("together_ai", "TOGETHERAI_API_KEY"),
        Provider("openai", "OPENAI_API_KEY", needs_key=False),
        Provider("hosted_vllm", needs_base=True, needs_key=False),
        Provider("custom_openai", needs_base=True, needs_key=False),
        Provider("openai_like", needs_base=True, needs_key=False),
        Provider("lm_studio", base="http://127.0.0.1:1234/v1", needs_key=False),
        Provider("llamafile", base="http://127.0.0.1:8080/v1", needs_key=False),
        Provider("ollama", base="http://127.0.0.1:11434", needs_key=False),
        Provider("ollama_chat", base="http://127.0.0.1:11434", needs_key=False),
    )
}


def find_provider(name: str) -> Provider:
    """The provider whose models begin with `name/`."""
    return PROVIDERS.get(name) or Provider(name, f"{name.upper()}_API_KEY")


def key_reference(name: str, api_key: str | None, api_base: str | None) -> str:
    """Where a provider's key is: what the profile says, else its own variable; "" for no key.

    A key by custom goes to the provider's own address only: whoever names another names the key.
    """
    if api_key:
        return api_key
    provider = find_provider(name)
    is_custom = bool(api_base) or not provider.key
    return "" if is_custom else f"env:{provider.key}"
