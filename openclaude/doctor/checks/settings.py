"""claude's settings files: what prevents a launch, what a launch replaces.

Knows: which keys matter and in which file they are. Must not depend on the order of the files,
which `claude/launch.py` knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaude.claude.launch import (
    LaunchFacts,
    SettingsConflict,
    SettingsFile,
    check_conflicts,
    texts,
)
from openclaude.diagnostics import Diagnostic, Key, Location, Severity
from openclaude.doctor.snapshot.world import World

BASE_URL = "ANTHROPIC_BASE_URL"
NO_LAUNCH = LaunchFacts(
    claude="", arguments=(), own_settings={}, own_agents="", environment={}, settings=()
)


def check_settings(world: World) -> Iterator[Diagnostic]:
    """Every settings file of claude's, strongest first."""
    found = [*broken_files(world), *conflicts(world), *replaced(world)]
    yield from found
    if not found:
        message = "nothing in claude's settings files interferes"
        yield Diagnostic(code="settings", severity=Severity.OK, message=message)


def broken_files(world: World) -> Iterator[Diagnostic]:
    """What claude itself cannot read."""
    for path, why in world.broken:
        yield Diagnostic(
            code="settings-broken",
            severity=Severity.WARNING,
            message=f"`{path}` is not a settings file: {why}",
            why="claude ignores it or complains, and openclaude cannot read it",
            fix="correct it: it must be one JSON object",
            location=Location(path=Path(path)),
        )


def conflicts(world: World) -> Iterator[Diagnostic]:
    """What prevents a launch, file by file, then in the environment."""
    plan = world.wanted.plan
    if plan is None:
        return
    for source in (*world.settings, None):
        given = {"settings": (source,)} if source else {"environment": world.env}
        try:
            check_conflicts(plan.launch, NO_LAUNCH._replace(**given))
        except SettingsConflict as error:
            (found,) = error.diagnostics
            location = error.location
            if source and location:
                location = place(source, location.key)
            yield found._replace(why="a launch cannot override it", location=location)


def replaced(world: World) -> Iterator[Diagnostic]:
    """What a launch replaces, and plain `claude` obeys."""
    plan = world.wanted.plan
    pinned = set(plan.launch.environment) if plan else {BASE_URL}
    for source in world.settings:
        if source.kind == "managed":
            continue
        env = texts(source.values.get("env"))
        for name in sorted(name for name in pinned & env.keys() if env[name]):
            yield replaced_variable(world, source, name, env[name])
        if source.values.get("apiKeyHelper"):
            yield Diagnostic(
                code="settings-api-key-helper",
                severity=Severity.WARNING,
                message=f"`apiKeyHelper` in `{source.path}` makes plain `claude` pay per token",
                why="plain `claude` does not use your plan; a launch switches it off",
                fix=f"remove `apiKeyHelper` from `{source.path}`",
                location=place(source, ("apiKeyHelper",)),
            )


def replaced_variable(world: World, source: SettingsFile, name: str, value: str) -> Diagnostic:
    """One variable of a settings file."""
    location = place(source, ("env", name))
    if name == BASE_URL and value in world.dead:
        return Diagnostic(
            code="settings-dead-address",
            severity=Severity.WARNING,
            message=f"`env.{name}` in `{source.path}` is {value}, where nothing listens",
            why="another tool left it behind: plain `claude` cannot work; a launch replaces it",
            fix=f"remove `env.{name}` from `{source.path}`",
            location=location,
        )
    return Diagnostic(
        code="settings-replaced",
        severity=Severity.NOTE,
        message=f"a launch replaces `env.{name}` in `{source.path}`",
        why="plain `claude` uses it, openclaude does not",
        fix=f"nothing to do; remove `env.{name}` from it if you no longer need it",
        location=location,
    )


def place(source: SettingsFile, key: Key) -> Location:
    """Where a key is, by the first line that has its name."""
    name = f'"{key[-1]}"'
    lines = source.text.splitlines()
    line = next((number for number, text in enumerate(lines, 1) if name in text), 1)
    return Location(path=Path(source.path), line=line, key=key)
