"""Keys that exclude or need each other, wherever each is written.

Knows: who may call whom with which credential, and that one key can undo another. Refuses to know:
models, files; a finding names the other key, and `judge` says in which file it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.profile.findings import Finding
from openclaude.profile.schema import TIERS
from openclaude.profile.values import is_claude

Values = Mapping[str, Any]
AUTH = ("anthropic", "auth")


def find_conflicts(profile: Values) -> Iterator[Finding]:
    """Every pair of keys of a merged profile that cannot stand together."""
    anthropic = profile.get("anthropic")
    given = anthropic if isinstance(anthropic, Mapping) else {}
    auth = given.get("auth", "plan")
    if "api_key" in given and auth in ("plan", "none"):
        yield Finding(
            ("anthropic", "api_key"),
            f'has no effect with `auth = "{auth}"`',
            'write `auth = "api-key"`, or remove the key',
            AUTH,
        )
    if "on_limit" in given and auth in ("none", "api-key"):
        yield Finding(
            ("anthropic", "on_limit"),
            f'has no effect with `auth = "{auth}"`: only a plan has that limit',
            'write `auth = "plan"`, or remove it',
            AUTH,
        )
    if auth == "none":
        yield from find_homeless(profile)
    yield from find_agent_conflicts(profile)


def find_homeless(profile: Values) -> Iterator[Finding]:
    """Tiers that would need the Claude account which `auth = "none"` says is not there."""
    tiers = profile.get("tiers")
    given = tiers if isinstance(tiers, Mapping) else {}
    for name in TIERS:
        tier = given.get(name, {"model": "claude"})
        model = tier.get("model", "") if isinstance(tier, Mapping) else tier
        if isinstance(model, str) and is_claude(model):
            said = "is Claude" if name in given else "is left out, which means Claude"
            yield Finding(
                ("tiers", name, "model") if name in given else ("tiers", name),
                f'{said}, and `auth = "none"` has no Claude account',
                f'name a model, for example `{name} = "bedrock/qwen.qwen3-coder-next"`',
                AUTH,
            )


def find_agent_conflicts(profile: Values) -> Iterator[Finding]:
    """`all` moves every subagent, so nothing is left to move to another tier."""
    agents = profile.get("agents")
    if not isinstance(agents, Mapping) or "all" not in agents:
        return
    for name in ("explore", "plan", "general"):
        if name in agents:
            yield Finding(
                ("agents", name),
                "conflicts with `agents.all`, which moves every subagent",
                "remove one of the two",
                ("agents", "all"),
            )
