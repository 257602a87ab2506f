"""Keys that exclude or need each other, wherever each is written.

Knows: who may call whom with which credential, and that one key can undo another. Independent of:
models, files; a finding names the other key, and `judge` says in which file it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.contracts.references import CLAUDE, is_claude, is_own_claude
from openclaude.diagnostics import Diagnostic
from openclaude.profile.mistakes import mistake
from openclaude.profile.schema import TIERS
from openclaude.profile.values import is_duration, seconds

Values = Mapping[str, Any]
AUTH = ("anthropic", "auth")
PORT = 4000  # `listen.port` where a profile names none
# for how long the ledger must keep what a budget counts
LEAST_KEPT_S = {"day": 86400.0, "month": 31 * 86400.0, "session": 86400.0}
SEES = "bedrock/amazon.nova-lite-v1:0"
PERIODS = tuple(LEAST_KEPT_S)


def find_conflicts(profile: Values) -> Iterator[Diagnostic]:
    """Every pair of keys of a merged profile that cannot stand together."""
    anthropic = profile.get("anthropic")
    given = anthropic if isinstance(anthropic, Mapping) else {}
    auth = given.get("auth", "plan")
    limit = given.get("on_limit")
    is_for_limit = auth == "plan" and isinstance(limit, str) and is_own_claude(limit)
    if "api_key" in given and auth in ("plan", "none") and not is_for_limit:
        yield mistake(
            ("anthropic", "api_key"),
            f'has no effect with `auth = "{auth}"`',
            fix='write `auth = "api-key"`, or remove the key',
            related=AUTH,
        )
    if "on_limit" in given and auth in ("none", "api-key"):
        yield mistake(
            ("anthropic", "on_limit"),
            f'has no effect with `auth = "{auth}"`: only a plan has that limit',
            fix='write `auth = "plan"`, or remove it',
            related=AUTH,
        )
    if given.get("first_party") is True and auth in ("none", "api-key"):
        yield mistake(
            ("anthropic", "first_party"),
            f'has no effect with `auth = "{auth}"`: it is for a plan',
            fix='write `auth = "plan"`, or remove it',
            related=AUTH,
        )
    yield from find_budget_conflicts(profile, auth)
    yield from find_telemetry_conflicts(profile)
    if auth == "none":
        yield from find_homeless(profile)
    yield from find_idle_classifier(profile)
    yield from find_blind_eyes(profile)
    yield from find_agent_conflicts(profile)


def find_budget_conflicts(profile: Values, auth: object) -> Iterator[Diagnostic]:
    """Budgets that nothing is counted for, and what would follow where there is none."""
    budget, ledger = profile.get("budget"), profile.get("ledger")
    given = budget if isinstance(budget, Mapping) else {}
    amounts: list[tuple[str, ...]] = [("budget", name) for name in PERIODS if name in given]
    tiers = profile.get("tiers")
    for tier, values in tiers.items() if isinstance(tiers, Mapping) else ():
        named = values if isinstance(values, Mapping) else {}
        amounts += [("tiers", tier, f"budget_{n}") for n in PERIODS if f"budget_{n}" in named]
    if given.get("then") == CLAUDE and auth == "none":
        yield mistake(
            ("budget", "then"),
            'is Claude, but with `auth = "none"` there is no Claude account',
            fix='write `then = "stop"`, or name a model',
            related=AUTH,
        )
    if "then" in given and not amounts:
        yield mistake(
            ("budget", "then"),
            "has no effect without a budget",
            fix="for example `day = 5.00`",
        )
    keep = ledger.get("keep") if isinstance(ledger, Mapping) else None
    if not isinstance(keep, str) or not is_duration(keep):
        return
    for place in amounts:
        needed = LEAST_KEPT_S[place[-1].removeprefix("budget_")]
        if seconds(keep) < needed:
            yield mistake(
                place,
                f'needs what is kept for {needed / 86400:.0f} days, but `ledger.keep` is "{keep}"',
                fix="remove `ledger.keep`, which is then 90 days",
                related=("ledger", "keep"),
            )


def find_telemetry_conflicts(profile: Values) -> Iterator[Diagnostic]:
    """Figures of a ledger that is not kept, and a port that is taken already."""
    telemetry, ledger = profile.get("telemetry"), profile.get("ledger")
    given = telemetry if isinstance(telemetry, Mapping) else {}
    keep = ledger.get("keep") if isinstance(ledger, Mapping) else None
    for name in given if isinstance(keep, str) and is_duration(keep) and not seconds(keep) else ():
        yield mistake(
            ("telemetry", name),
            "tells what the ledger is told, which keeps nothing",
            fix="remove `ledger.keep`, which is then 90 days",
            related=("ledger", "keep"),
        )
    listen = profile.get("listen")
    port = listen.get("port", PORT) if isinstance(listen, Mapping) else PORT
    if isinstance(port, int) and given.get("prometheus") in (port, port + 1):
        yield mistake(
            ("telemetry", "prometheus"),
            "is a port of the proxies, which are on `listen.port` and the next one",
            fix="for example `prometheus = 9464`",
            related=("listen", "port"),
        )
    otlp = given.get("otlp")
    if isinstance(otlp, str) and otlp.endswith(f":{given.get('prometheus')}"):
        yield mistake(
            ("telemetry", "prometheus"),
            "is the port of the collector that `otlp` names",
            fix="for example `prometheus = 9464`",
            related=("telemetry", "otlp"),
        )


def find_homeless(profile: Values) -> Iterator[Diagnostic]:
    """Tiers that would need the Claude account which `auth = "none"` says is not there."""
    tiers = profile.get("tiers")
    given = tiers if isinstance(tiers, Mapping) else {}
    for name in TIERS:
        tier = given.get(name, {"model": "claude"})
        model = tier.get("model", "") if isinstance(tier, Mapping) else tier
        if isinstance(model, str) and is_claude(model):
            said = "is Claude" if name in given else "is not set, which means Claude"
            yield mistake(
                ("tiers", name, "model") if name in given else ("tiers", name),
                f'{said}, but with `auth = "none"` there is no Claude account',
                fix=f'set a model, for example `{name} = "bedrock/qwen.qwen3-coder-next"`',
                related=AUTH,
            )


def find_idle_classifier(profile: Values) -> Iterator[Diagnostic]:
    """A model that judges the tool calls of slots, where there is no slot: Claude has its own."""
    auto_mode, tiers = profile.get("auto_mode"), profile.get("tiers")
    if not isinstance(auto_mode, Mapping) or "classifier" not in auto_mode:
        return
    given = tiers.values() if isinstance(tiers, Mapping) else ()
    models = [tier.get("model") if isinstance(tier, Mapping) else tier for tier in given]
    if all(isinstance(model, str) and is_claude(model) for model in models):
        yield mistake(
            ("auto_mode", "classifier"),
            "has no effect: every tier is Claude, and Anthropic checks Claude's tool calls itself",
            fix="remove it, or set a tier's model",
        )


def find_blind_eyes(profile: Values) -> Iterator[Diagnostic]:
    """Tiers whose images another tier is to describe, which cannot or must not do that."""
    tiers = profile.get("tiers")
    given = tiers if isinstance(tiers, Mapping) else {}
    for name, tier in given.items():
        eyes = tier.get("vision") if isinstance(tier, Mapping) else None
        if eyes not in TIERS:
            continue
        other = given.get(eyes, {"model": CLAUDE})
        seeing = other if isinstance(other, Mapping) else {"model": other}
        model, sees = seeing.get("model", ""), seeing.get("vision")
        where: tuple[str, ...] = ("tiers", eyes, "model") if eyes in given else ()
        if eyes == name:
            where, message = (), "is the tier itself"
        elif isinstance(model, str) and is_claude(model):
            message = f"`{eyes}` is Claude, which gets no images of other tiers"
        elif isinstance(sees, str) or sees is False:
            where, message = ("tiers", eyes, "vision"), f"`{eyes}` does not see images either"
        else:
            continue
        yield mistake(
            ("tiers", name, "vision"),
            message,
            fix=f"name a model that sees images, for example `{SEES}`",
            related=where,
        )


def find_agent_conflicts(profile: Values) -> Iterator[Diagnostic]:
    """`all` moves every subagent, so nothing is left to move to another tier."""
    agents = profile.get("agents")
    if not isinstance(agents, Mapping) or "all" not in agents:
        return
    for name in ("explore", "plan", "general"):
        if name in agents:
            yield mistake(
                ("agents", name),
                "conflicts with `agents.all`, which moves every subagent",
                fix="remove one of the two",
                related=("agents", "all"),
            )
