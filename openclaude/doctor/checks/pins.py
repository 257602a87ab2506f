"""Models that the user's own variables and settings pin, past what the profile gives.

Knows: which settings choose a model in claude. Must not depend on what a launch replaces
(`settings`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaude.claude.launch import SettingsFile, texts
from openclaude.claude.pins import VARIABLES, WIDE, asks_anthropic, is_nobodys
from openclaude.contracts.plan import TierPlan
from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.snapshot.world import World

ALIAS = "ANTHROPIC_DEFAULT_"  # how the variables begin that bind an alias of claude's
OURS_ALONE = "openclaude-"  # how slots' own ids begin
TIERS = ("opus", "sonnet", "haiku")


def check_pins(world: World) -> Iterator[Diagnostic]:
    """Names that lead to an error in each session, and lists that leave a tier out."""
    yield from check_saved_models(world)
    plan = world.wanted.plan
    if plan is None or not asks_anthropic(plan):
        return
    overridden = {*plan.launch.environment, *plan.launch.unbound}
    names = [name for name in VARIABLES if name not in overridden]
    for name in names:
        if is_nobodys(value := world.env.get(name, "")):
            yield pinned(name, value, f"run `unset {name}`, where it is set")
        elif value and name.startswith(ALIAS):
            yield forgotten(name, f"run `unset {name}`, where it is set")
    for source in world.settings:
        env = texts(source.values.get("env"))
        for name in names:
            if is_nobodys(value := env.get(name, "")):
                yield pinned(f"env.{name}", value, remove(f"env.{name}", source), source)
            elif value and name.startswith(ALIAS):
                yield forgotten(f"env.{name}", remove(f"env.{name}", source), source)
        chosen = source.values.get("model")
        if isinstance(chosen, str) and is_nobodys(chosen):
            yield pinned("model", chosen, remove("model", source), source)
        yield from limits(source)


def check_saved_models(world: World) -> Iterator[Diagnostic]:
    """What `/model` saves, and sessions of a slot that plain claude cannot resume.

    Whatever the profile is: plain claude reads the same settings.
    """
    tiers = world.wanted.plan.tiers if world.wanted.plan else ()
    labels = {name: tier for tier in tiers if tier.slot for name in (tier.tier, tier.behaves_as)}
    for source in world.settings:
        chosen = source.values.get("model")
        if not isinstance(chosen, str):
            continue
        if chosen.startswith(OURS_ALONE):
            yield only_ours(chosen, source)
        elif slot := labels.get(chosen.removesuffix(WIDE)):
            yield also_plain(chosen, slot, source)
    for tier in tiers:
        if tier.slot and not tier.behaves_as:
            yield not_resumed(tier)


def pinned(name: str, value: str, fix: str, source: SettingsFile | None = None) -> Diagnostic:
    """One such name."""
    where = f" in `{source.path}`" if source else ""
    return Diagnostic(
        code="model-pinned",
        severity=Severity.WARNING,
        message=f"`{name}`{where} asks for the model `{value}`",
        why="neither Anthropic nor the profile has a model of that name: what asks for it ends in "
        "an error",
        fix=fix,
        location=Location(path=Path(source.path)) if source else None,
    )


def forgotten(name: str, fix: str, source: SettingsFile | None = None) -> Diagnostic:
    """A variable that binds one of claude's aliases: claude then restores no model (measured)."""
    where = f" in `{source.path}`" if source else ""
    return Diagnostic(
        code="resume-forgets-model",
        severity=Severity.NOTE,
        message=f"`--continue` and `--resume` do not restore a session's model: `{name}`{where} "
        "is set",
        why="while it is set, claude goes on with the default model, also plain `claude`",
        fix=f"{fix}; or name the model: `openclaude --continue --model MODEL`",
        location=Location(path=Path(source.path)) if source else None,
    )


def only_ours(model: str, source: SettingsFile) -> Diagnostic:
    """A slot's own id, as an earlier openclaude told it to claude, or for a small window."""
    return Diagnostic(
        code="model-of-openclaude",
        severity=Severity.WARNING,
        message=f"`model` in `{source.path}` asks for the model `{model}`",
        why="only openclaude knows that name: plain `claude` ends in an error with it",
        fix=remove("model", source),
        location=Location(path=Path(source.path)),
    )


def also_plain(model: str, slot: TierPlan, source: SettingsFile) -> Diagnostic:
    """A saved model that is a slot here, and Claude's own in plain claude."""
    return Diagnostic(
        code="saved-model-of-a-slot",
        severity=Severity.NOTE,
        message=f"new sessions begin with {slot.label}: `model` in `{source.path}` is `{model}`",
        why="`/model` saves this for plain `claude` too, which begins with Claude's own "
        f"{slot.tier} model",
        fix="nothing to do; to begin plain `claude` with another model, choose it there with "
        "`/model`, which changes it here too",
        location=Location(path=Path(source.path)),
    )


def not_resumed(slot: TierPlan) -> Diagnostic:
    """A slot that claude asks for by our own id, which is in the transcripts."""
    return Diagnostic(
        code="slot-not-resumed",
        severity=Severity.NOTE,
        message=f"{slot.tier}: `claude --resume ID` cannot go on with a session of {slot.label}",
        why=f"its window is small, so claude knows it only as `{slot.slot}`, which plain `claude` "
        "asks Anthropic for",
        fix=f"name the model: `openclaude --resume ID --model {slot.tier}`, or with Claude's own "
        f"`claude --resume ID --model {slot.tier}`",
    )


def remove(name: str, source: SettingsFile) -> str:
    """How to take it out of a settings file."""
    return f"remove `{name}` from `{source.path}`"


def limits(source: SettingsFile) -> Iterator[Diagnostic]:
    """A list of allowed models that leaves a tier out."""
    allowed = source.values.get("availableModels")
    if not isinstance(allowed, list):
        return
    names = [one.lower() for one in allowed if isinstance(one, str)]
    if missing := [tier for tier in TIERS if not any(tier in name for name in names)]:
        listed = ", ".join(f"`{tier}`" for tier in missing)
        yield Diagnostic(
            code="models-limited",
            severity=Severity.WARNING,
            message=f"`availableModels` in `{source.path}` leaves out {listed}",
            why="claude offers no other model, and takes one of those where a tier is asked for",
            fix=f"add {listed} to `availableModels` in `{source.path}`"
            + (": ask who manages this machine" if source.kind == "managed" else ""),
            location=Location(path=Path(source.path)),
        )
