"""What of the schema is built: the rest is known, and refused instead of ignored.

Knows: which keys, values and providers wait. Refuses to know: how any of them will work. Whoever
builds one deletes its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.profile.findings import Finding
from openclaude.profile.locate import Key

NOT_YET = "not supported yet"

# (the key, where `*` is any tier; what is supported today)
KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("tiers", "*", "fallbacks"), "today a tier has one model"),
    (("tiers", "*", "api_key"), "today a tier uses the credentials of `aws.profile`"),
    (("tiers", "*", "api_base"), "today `aws.endpoint_url` is the one address that can be set"),
    (("tiers", "*", "params"), "today a tier has `max_output_tokens` and `region`"),
    (("anthropic", "api_key"), 'today Claude tiers use your own login: `auth = "plan"`'),
    (("agents", "plan"), "today `agents.explore` can be moved"),
    (("agents", "general"), "today `agents.explore` can be moved"),
    (("agents", "all"), "today `agents.explore` can be moved"),
)
# (the key, its values that are supported today)
VALUES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ((("anthropic", "auth"), ("plan",)),)
PROVIDERS = ("bedrock",)


def find_unsupported_keys(profile: Mapping[str, Any]) -> Iterator[Finding]:
    """Every key of a merged profile that waits for a later version."""
    for pattern, today in KEYS:
        for key, _ in find(profile, pattern):
            yield Finding(key, NOT_YET, today)


def find_unsupported_values(profile: Mapping[str, Any]) -> Iterator[Finding]:
    """Every value of a merged profile that waits for a later version."""
    for pattern, allowed in VALUES:
        for key, value in find(profile, pattern):
            if value not in allowed:
                shown = ", ".join(f'"{one}"' for one in allowed)
                yield Finding(key, NOT_YET, f"supported today: {shown}")


def find(values: Any, pattern: tuple[str, ...], before: Key = ()) -> Iterator[tuple[Key, Any]]:
    """The keys that `pattern` matches, with their values."""
    if not pattern:
        yield before, values
    elif isinstance(values, Mapping):
        names = list(values) if pattern[0] == "*" else [pattern[0]]
        for name in names:
            if name in values:
                yield from find(values[name], pattern[1:], (*before, name))
