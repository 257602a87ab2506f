"""Models that another machine serves: what `[providers]` needs, and which keys it leaves idle.

Knows: what only the providers of this machine could heed. Independent of: models, files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.contracts.references import CLAUDE, is_claude
from openclaude.diagnostics import Diagnostic
from openclaude.profile.mistakes import mistake
from openclaude.profile.schema import STOP, TIERS

URL = ("providers", "url")
# of a tier: how a provider is reached, and what is done there to a request
OF_PROVIDERS = (
    *("region", "regions", "fallbacks", "api_key", "api_base", "params"),
    *("vision", "thinking", "markup"),
)
DECIDED_THERE = "has no effect with `providers.url`: that server decides this"
NO_EYES = "cannot name a model with `providers.url`: a team's server describes no images"
REMOVE_EYES = "remove it: a model that cannot see gets a note in the place of each image"
REMOVE = "remove it here, and set it in the profile that is served there"
Values = Mapping[str, Any]


def server_of(profile: Values) -> bool:
    """Whether a merged profile has its models served elsewhere."""
    return "url" in table_of(profile, "providers")


def table_of(values: Values, name: str) -> Values:
    """The table of that name, empty where there is none."""
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def find_server_mistakes(profile: Values) -> Iterator[Diagnostic]:
    """Every key that a server needs, or that has no effect with one."""
    given = table_of(profile, "providers")
    if "url" not in given:
        for key in given:
            yield mistake(
                ("providers", key),
                "has no effect without `providers.url`",
                fix="set the address of the server, or remove it",
            )
        return
    if "key" not in given:
        yield mistake(
            ("providers", "key"),
            "is missing: the server asks for your own key",
            fix='for example `key = "file:~/.config/openclaude/team.key"`',
        )
    if "ca" in given and str(given["url"]).startswith("http://"):
        yield mistake(("providers", "ca"), "has no effect on an `http://` address", fix="remove it")
    tiers = table_of(profile, "tiers")
    for name in TIERS:
        tier = table_of(tiers, name)
        for key in OF_PROVIDERS if not is_claude(str(tier.get("model"))) else ():
            if key == "vision" and isinstance(tier.get(key), str):
                yield mistake(("tiers", name, key), NO_EYES, fix=REMOVE_EYES, related=URL)
            elif key in tier:
                yield mistake(("tiers", name, key), DECIDED_THERE, fix=REMOVE, related=URL)
    yield from find_local_models(profile)


def find_local_models(profile: Values) -> Iterator[Diagnostic]:
    """Models of no tier, and search engines: only providers on this machine could ask them."""
    for place, key, harmless in (
        ("anthropic", "on_limit", ()),
        ("auto_mode", "classifier", ()),
        ("budget", "then", (STOP, CLAUDE)),
        ("search", "with", (CLAUDE, "none")),
    ):
        value = table_of(profile, place).get(key)
        if value is not None and value not in harmless:
            yield mistake(
                (place, key),
                "needs providers on this machine, and `providers.url` names a server",
                fix="remove it" if not harmless else f'write `{key} = "{harmless[0]}"`',
                related=URL,
            )
