"""claude's settings files: what stands in the way of a launch, what a launch replaces.

Knows: which keys matter and in which file they are. Refuses to know: the order of the files, which
`compile/merge.py` knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from openclaude.compile.merge import (
    LaunchFacts,
    SettingsConflict,
    Source,
    find_conflicts,
    texts,
)
from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World

BASE_URL = "ANTHROPIC_BASE_URL"
KEY = re.compile(r"`((?:env\.)?[A-Za-z_]+)` in ")
NO_LAUNCH = LaunchFacts(
    claude="", arguments=(), own_settings={}, own_agents="", environment={}, settings=()
)


def check_settings(world: World) -> Iterator[Finding]:
    """Every settings file of claude's, strongest first."""
    found = [*broken_files(world), *conflicts(world), *replaced(world)]
    yield from found
    if not found:
        yield Finding("settings", OK, "nothing in claude's settings files is in the way")


def broken_files(world: World) -> Iterator[Finding]:
    """What claude itself cannot read."""
    for path, why in world.broken:
        yield Finding(
            "settings-broken",
            WARNS,
            f"`{path}` is no settings file: {why}",
            "claude ignores it or complains, and openclaude cannot see what it says",
            "correct it: it is one JSON object",
            path,
        )


def conflicts(world: World) -> Iterator[Finding]:
    """What stops a launch, file by file, then in the environment."""
    plan = world.wanted.plan
    if plan is None:
        return
    for source in (*world.settings, None):
        given = {"settings": (source,)} if source else {"environment": world.env}
        try:
            find_conflicts(plan.launch, NO_LAUNCH._replace(**given))
        except SettingsConflict as error:
            found = KEY.search(error.message)
            key = found[1] if found else "env.ANTHROPIC_CUSTOM_HEADERS"
            where = place(world, source, key) if source else "environment:ANTHROPIC_CUSTOM_HEADERS"
            why = "no launch can undo it"
            yield Finding(error.code, STOPS, error.message, why, error.hint, where)


def replaced(world: World) -> Iterator[Finding]:
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
            yield Finding(
                "settings-api-key-helper",
                WARNS,
                f"`apiKeyHelper` in `{source.path}` makes plain `claude` pay by the token",
                "a launch switches it off; plain `claude` does not use your plan",
                f"remove `apiKeyHelper` from `{source.path}`",
                place(world, source, "apiKeyHelper"),
            )


def replaced_variable(world: World, source: Source, name: str, value: str) -> Finding:
    """One variable of a settings file."""
    key = f"env.{name}"
    where = place(world, source, key)
    if name == BASE_URL and value in world.dead:
        return Finding(
            "settings-dead-address",
            WARNS,
            f"`{key}` in `{source.path}` is {value}, where nobody listens",
            "another tool has left it: plain `claude` cannot work; a launch replaces it",
            f"remove `{key}` from `{source.path}`",
            where,
        )
    return Finding(
        "settings-replaced",
        NOTE,
        f"`{key}` in `{source.path}` is replaced by a launch",
        "plain `claude` obeys it, openclaude does not",
        f"nothing to mend; remove `{key}` there if it is no longer wanted",
        where,
    )


def place(world: World, source: Source, key: str) -> str:
    """file:line:key, by the first line that has the key's name."""
    name = f'"{key.rpartition(".")[2]}"'
    lines = world.texts.get(source.path, "").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if name in text), 1)
    return f"{source.path}:{line}:{key}"
