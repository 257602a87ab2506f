"""Known providers: the names that LiteLLM itself enumerates, and can hold a chat with.

Knows: in which of LiteLLM's files they stand. Independent of: anything else of a provider. They
are read as text, because importing LiteLLM would take seconds. (LiteLLM's table of endpoints is no
substitute: it names providers that LiteLLM refuses, and leaves out others that it serves.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from openclaude.errors import OpenclaudeError
from openclaude.providers.table import PROVIDERS, find_provider

ENUMERATION = "types/utils.py"
CLASS = re.compile(r"^class LlmProviders\(.*?\):\n(.*?)^\S", re.DOTALL | re.MULTILINE)
MEMBER = re.compile(r'^    \w+ = "([^"]+)"', re.MULTILINE)
COMPATIBLE = "llms/openai_like/providers.json"  # those that need no code of their own


class ProvidersMissing(OpenclaudeError):
    """LiteLLM's list of providers is not where it belongs."""

    code = "providers-missing"

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot read LiteLLM's providers: {why}", hint="reinstall openclaude")


def known_providers() -> tuple[str, ...]:
    """Every provider that a profile may name. Raises ProvidersMissing."""
    names = {*enumerated(), *PROVIDERS}
    return tuple(sorted(name for name in names if find_provider(name).serves_chats))


@cache
def enumerated() -> frozenset[str]:
    """Every provider of the installed LiteLLM. Raises ProvidersMissing."""
    spec = find_spec("litellm")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise ProvidersMissing("LiteLLM is not installed")
    return frozenset(read_providers(Path(folders[0])))


def read_providers(litellm: Path) -> Iterator[str]:
    """The providers of the LiteLLM in a folder. Raises ProvidersMissing."""
    try:
        text = (litellm / ENUMERATION).read_text("utf-8")
        compatible = json.loads((litellm / COMPATIBLE).read_bytes())
    except (OSError, ValueError) as error:
        raise ProvidersMissing(str(error)) from error
    found = CLASS.search(text)
    names = MEMBER.findall(found[1]) if found else []
    if not names or not isinstance(compatible, dict):
        raise ProvidersMissing(f"no list of providers in {litellm / ENUMERATION}")
    yield from names
    yield from compatible
