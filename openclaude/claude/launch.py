"""A launch: the plan and the user's own settings, merged into argv, environment and a file.

Knows: Claude Code's settings, their order, what the user's own mean. Independent of: disk,
sockets. Pure and standard library only: it runs at every launch. "Measured" means with Claude Code
2.1.330.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.contracts.local_request import FOLDER_HEADER
from openclaude.contracts.plan import MAIN_KEY, MAIN_URL, LaunchPlan
from openclaude.diagnostics import Key, Location, dotted
from openclaude.errors import OpenclaudeError

LOOPBACK = "127.0.0.1,localhost"
# set by a launch; a managed setting of one of these names cannot be won over
CREDENTIAL_HEADERS = frozenset({"authorization", "x-api-key"})
HEADERS = "ANTHROPIC_CUSTOM_HEADERS"
OF_A_LAUNCH = frozenset({"x-litellm-api-key", FOLDER_HEADER})
# RFC 3986, and the slash; written out because `string` costs a warm launch half a millisecond
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-~")
ONLY_THESE = "replaceBuiltInOptions"  # of `modelPicker`: leaves out claude's own rows
# a variable that the user may have set in place of the one we would set
INSTEAD = {"ANTHROPIC_SMALL_FAST_MODEL": "ANTHROPIC_DEFAULT_HAIKU_MODEL"}
# written to the settings file's own path by the caller
SETTINGS_PATH = "{openclaude:settings-path}"


class SettingsConflict(OpenclaudeError):
    """A setting of the user or an administrator that prevents a launch."""

    code = "settings-conflict"


class SettingsFile(NamedTuple):
    """One of claude's settings files as it was found: strongest first in `LaunchFacts.settings`."""

    path: str
    kind: str  # managed, local, project, user
    values: Mapping[str, Any]
    text: str = ""  # as it was read, for who wants to name a line


class LaunchFacts(NamedTuple):
    """The world as one launch sees it."""

    claude: str  # path of the binary
    arguments: tuple[str, ...]  # the user's own, with --settings and --agents taken out
    own_settings: Mapping[str, Any]  # what the user's --settings says
    own_agents: str  # the user's --agents, as given
    environment: Mapping[str, str]
    settings: tuple[SettingsFile, ...]


class Launch(NamedTuple):
    """What to exec; argv contains `SETTINGS_PATH` in place of the file's path."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    settings: dict[str, Any]


def build_launch(plan: LaunchPlan, facts: LaunchFacts, *, url: str, key: str) -> Launch:
    """The launch of claude against the main instance at `url` with the local key `key`.

    Raises SettingsConflict for a setting that a launch cannot override.
    """
    check_conflicts(plan, facts)
    environment = merge_environment(plan, facts)
    filled = {
        name: value.replace(MAIN_URL, url).replace(MAIN_KEY, key)
        for name, value in environment.items()
    }
    settings = {**facts.own_settings, "apiKeyHelper": "", "env": filled}
    picker = merge_picker(plan, facts)
    if picker:
        settings["modelPicker"] = picker
    if plan.model_settings:
        settings["modelSettings"] = merge_models(plan, facts)
    return Launch(
        argv=(
            "claude",
            "--settings",
            SETTINGS_PATH,
            *agent_arguments(plan, facts),
            *facts.arguments,
        ),
        environment={
            name: value for name, value in facts.environment.items() if name not in plan.remove
        },
        settings=settings,
    )


def merge_environment(plan: LaunchPlan, facts: LaunchFacts) -> dict[str, str]:
    """The settings file's `env`: the user's own --settings first, then what a launch must have."""
    own = texts(facts.own_settings.get("env"))
    chosen = {
        name: value
        for name, value in plan.default_environment.items()
        if not effective(facts, name) and not effective(facts, INSTEAD.get(name, name))
    }
    no_proxy = ",".join(filter(None, (LOOPBACK, user_no_proxy(facts))))
    headers = [*user_headers(facts), plan.environment[HEADERS]]
    unbound = {name: "" for name in plan.unbound if effective(facts, name)}
    return {
        **own,
        **chosen,
        **unbound,
        **plan.environment,
        HEADERS: "\n".join(headers),
        # proxies are applied to loopback too, and the lower-case name wins (measured)
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def layers(facts: LaunchFacts) -> Iterable[Mapping[str, str]]:
    """Everything that can set a variable for claude, strongest first (order measured)."""
    managed = [source for source in facts.settings if source.kind == "managed"]
    others = [source for source in facts.settings if source.kind != "managed"]
    yield from (texts(source.values.get("env")) for source in managed)
    yield texts(facts.own_settings.get("env"))
    yield from (texts(source.values.get("env")) for source in others)
    yield facts.environment


def effective(facts: LaunchFacts, name: str) -> str:
    """The value of the variable `name` that plain claude would see."""
    return next((layer[name] for layer in layers(facts) if name in layer), "")


def user_no_proxy(facts: LaunchFacts) -> str:
    """The user's own NO_PROXY; the lower-case name wins if both are set (measured)."""
    return effective(facts, "no_proxy") or effective(facts, "NO_PROXY")


def user_headers(facts: LaunchFacts) -> list[str]:
    """The user's own header lines, without those of an outer session."""
    lines = effective(facts, HEADERS).splitlines()
    return [line for line in lines if line.strip() and header_name(line) not in OF_A_LAUNCH]


def folder_line(folder: str) -> str:
    """The header line that says where claude is started; percent-encoded, as in a URL."""
    encoded = "".join(
        chr(byte) if chr(byte) in UNRESERVED else f"%{byte:02X}" for byte in os.fsencode(folder)
    )
    return f"{FOLDER_HEADER}: {encoded}"


def header_name(line: str) -> str:
    """The name in a `Name: value` line, in lower case."""
    return line.partition(":")[0].strip().lower()


def merge_picker(plan: LaunchPlan, facts: LaunchFacts) -> dict[str, Any]:
    """The model picker: `--settings` replaces the user's own (measured), so both lists go in."""
    own = facts.own_settings.get("modelPicker")
    found = [own] if own else [source.values.get("modelPicker") for source in facts.settings]
    theirs = next((picker for picker in found if isinstance(picker, dict)), {})
    if not plan.picker:
        return theirs if own else {}
    ours = {row["model"] for row in plan.picker}
    options = theirs.get("options")
    rows = [
        row
        for row in (options if isinstance(options, list) else [])
        if not (isinstance(row, dict) and str(row.get("model")) in ours)
    ]
    if not plan.claude_rows or theirs.get(ONLY_THESE):
        return {**theirs, "options": [*plan.picker, *rows]}
    return {**theirs, "options": [*plan.claude_rows, *plan.picker, *rows], ONLY_THESE: True}


def merge_models(plan: LaunchPlan, facts: LaunchFacts) -> dict[str, Any]:
    """The settings by model: what the user's own --settings say of a model stays, but its window.

    claude merges those of the user's files itself (measured).
    """
    own = facts.own_settings.get("modelSettings")
    theirs = own if isinstance(own, dict) else {}
    ours = {
        model: {**(theirs[model] if isinstance(theirs.get(model), dict) else {}), **values}
        for model, values in plan.model_settings.items()
    }
    return {**theirs, **ours}


def agent_arguments(plan: LaunchPlan, facts: LaunchFacts) -> tuple[str, ...]:
    """`--agents` once (claude uses only the last): ours, then the user's, who wins on a name."""
    if not plan.agents:
        return ("--agents", facts.own_agents) if facts.own_agents else ()
    own = parse_object(facts.own_agents) if facts.own_agents else {}
    if own is None:  # claude itself says what is wrong with it
        return ("--agents", facts.own_agents)
    return ("--agents", json.dumps({**plan.agents, **own}))


def check_conflicts(plan: LaunchPlan, facts: LaunchFacts) -> None:
    """Raise SettingsConflict for the first setting that a launch cannot override."""
    pinned = {*plan.environment, *plan.unbound, "NO_PROXY", "no_proxy"}
    for source in facts.settings:
        env = texts(source.values.get("env"))
        if source.kind == "managed":
            refuse_managed(source, env, pinned)
        for name in plan.remove:
            if env.get(name) and name not in plan.environment:
                raise SettingsConflict(
                    f"`env.{name}` in `{source.path}` hides your Claude login from openclaude",
                    hint=f"remove `{name}` from the `env` of `{source.path}`",
                    location=Location(path=Path(source.path), key=("env", name)),
                )
    named = {header_name(line) for line in user_headers(facts)} & CREDENTIAL_HEADERS
    if named:
        raise SettingsConflict(
            f"your ANTHROPIC_CUSTOM_HEADERS set `{sorted(named)[0]}`, which replaces your Claude "
            "login",
            hint="remove that line from ANTHROPIC_CUSTOM_HEADERS, or start plain `claude`",
            location=headers_location(facts),
        )


def refuse_managed(source: SettingsFile, env: Mapping[str, str], pinned: set[str]) -> None:
    """Refuse managed settings that override what a launch needs.

    Raises SettingsConflict.

    """
    clashes: list[Key] = [("env", name) for name in sorted(pinned & env.keys())]
    clashes += [(key,) for key in ("apiKeyHelper", "modelPicker") if source.values.get(key)]
    if clashes:
        raise SettingsConflict(
            f"`{dotted(clashes[0])}` in the managed settings `{source.path}` cannot be overridden",
            hint="ask the administrator of this machine, or start plain `claude`",
            location=Location(path=Path(source.path), key=clashes[0]),
        )


def headers_location(facts: LaunchFacts) -> Location:
    """Where the user's ANTHROPIC_CUSTOM_HEADERS come from."""
    key: Key = ("env", HEADERS)
    for source in facts.settings:
        if HEADERS in texts(source.values.get("env")):
            return Location(path=Path(source.path), key=key)
    is_own = HEADERS in texts(facts.own_settings.get("env"))
    return Location(key=key) if is_own else Location(variable=HEADERS)


def take_out(arguments: Sequence[str], flag: str) -> tuple[tuple[str, ...], str]:
    """The arguments without `flag VALUE` and `flag=VALUE`, and the last value.

    Arguments after `--` are kept.
    """
    kept: list[str] = []
    value = ""
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return (*kept, argument, *rest), value
        if argument == flag and rest:
            value = rest.pop(0)
        elif argument.startswith(flag + "="):
            value = argument.partition("=")[2]
        else:
            kept.append(argument)
    return tuple(kept), value


def parse_object(text: str) -> dict[str, Any] | None:
    """A JSON object, or None if the text is not one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def texts(value: object) -> dict[str, str]:
    """A settings file's `env` as claude takes it, as far as it is an object.

    Claude makes text of numbers and the like (measured); of lists and objects nobody could.
    """
    if not isinstance(value, dict):
        return {}
    return {
        name: item if isinstance(item, str) else json.dumps(item)
        for name, item in value.items()
        if isinstance(item, str | bool | int | float | None)
    }
