"""Facts: the world as it is looked at once, before deciding.

Knows: where claude and its settings files are; AWS's are in `facts_aws`. Refuses to know: what
follows from them. Standard library only: it runs at every launch.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from openclaude.compile.merge import LaunchFacts, Source, take_out
from openclaude.errors import ClaudeNotExecutable, ClaudeNotFound, OpenclaudeError, UsageError

LITELLM_VERSION = "1.106.2"
# Compromised on 2026-03-24 with a credential stealer (OSV MAL-2026-2144).
MALICIOUS_LITELLM = frozenset({"1.82.7", "1.82.8"})

MANAGED_FOLDERS = {
    "linux": Path("/etc/claude-code"),
    "darwin": Path("/Library/Application Support/ClaudeCode"),
}


class WrongLitellm(OpenclaudeError):
    """An installed LiteLLM that openclaude was not built for."""

    code = "litellm-version"


def find_claude(env: Mapping[str, str]) -> str:
    """The path of the `claude` to become: OPENCLAUDE_CLAUDE, or the first on PATH.

    Raises ClaudeNotFound (exit 127) or ClaudeNotExecutable (126).
    """
    named = env.get("OPENCLAUDE_CLAUDE", "")
    wanted = named or "claude"
    candidates = [wanted] if "/" in wanted else on_path(wanted, env.get("PATH", os.defpath))
    # os.path: a folder on PATH that may not be read has no claude for us, and is no error
    found = [path for path in candidates if os.path.isfile(path) and not is_ourselves(path)]  # noqa: PTH113
    usable = next((path for path in found if os.access(path, os.X_OK)), "")
    if usable:
        return usable
    if found:
        raise ClaudeNotExecutable(
            f"`{found[0]}` is not executable", hint=f"make it so with `chmod +x {found[0]}`"
        )
    where = f"`{named}` (OPENCLAUDE_CLAUDE) is no file" if named else "there is no `claude` on PATH"
    raise ClaudeNotFound(
        where,
        hint="install Claude Code (`npm install -g @anthropic-ai/claude-code`), or name its "
        "binary with OPENCLAUDE_CLAUDE",
    )


def on_path(name: str, path: str) -> list[str]:
    """Where a program may be, in the order of PATH; an empty entry is the working directory."""
    return [os.path.join(folder or ".", name) for folder in path.split(os.pathsep)]  # noqa: PTH118


def is_ourselves(path: str) -> bool:
    """Whether a `claude` is a link to openclaude: becoming it would never end."""
    return os.path.realpath(path) == os.path.realpath(sys.argv[0])


def look_at_launch(
    arguments: tuple[str, ...], claude: str, env: Mapping[str, str], home: Path, cwd: Path
) -> LaunchFacts:
    """What one launch of `claude` with the user's `arguments` starts from.

    Raises UsageError when the user's own --settings cannot be read.
    """
    without_settings, own_settings = take_out(arguments, "--settings")
    without_agents, own_agents = take_out(without_settings, "--agents")
    return LaunchFacts(
        claude=claude,
        arguments=without_agents,
        own_settings=read_own_settings(own_settings, cwd) if own_settings else {},
        own_agents=own_agents,
        environment=env,
        settings=tuple(find_settings(arguments, env, home, cwd)),
    )


def working_folder() -> Path:
    """The current directory. Raises UsageError when it has been removed; claude needs one too."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the working directory cannot be used: {error.strerror}",
            hint="`cd` into a folder that exists",
        ) from error


def read_own_settings(value: str, cwd: Path) -> dict[str, Any]:
    """The user's `--settings`: a path, or JSON itself."""
    try:
        text = value if value.lstrip().startswith("{") else (cwd / value).read_text("utf-8")
        settings = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read your `--settings`: {error}",
            hint="give the path of a JSON file, or a JSON object",
        ) from error
    if not isinstance(settings, dict):
        raise UsageError("your `--settings` is no JSON object", hint="it must start with `{`")
    return settings


def find_settings(
    arguments: tuple[str, ...], env: Mapping[str, str], home: Path, cwd: Path
) -> Iterable[Source]:
    """claude's settings files that are there, strongest first (order measured with 2.1.330)."""
    for path, kind in settings_files(arguments, env, home, cwd):
        yield from read_source(path, kind)


def settings_files(
    arguments: tuple[str, ...], env: Mapping[str, str], home: Path, cwd: Path
) -> Iterable[tuple[Path, str]]:
    """Where claude looks for settings, strongest first, and each one's kind."""
    managed = Path(env.get("CLAUDE_CODE_MANAGED_SETTINGS_PATH") or managed_file())
    for path in (managed, *sorted(managed.with_suffix(".d").glob("*.json"))):
        yield path, "managed"
    _, chosen = take_out(arguments, "--setting-sources")
    kinds = set(chosen.split(",")) if chosen else {"user", "project", "local"}
    user = Path(env.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    for kind, path in (
        ("local", cwd / ".claude" / "settings.local.json"),
        ("project", cwd / ".claude" / "settings.json"),
        ("user", user / "settings.json"),
    ):
        if kind in kinds:
            yield path, kind


def managed_file() -> Path:
    """Where an administrator's settings are on this system."""
    folder = MANAGED_FOLDERS.get(sys.platform, MANAGED_FOLDERS["linux"])
    return folder / "managed-settings.json"


def read_source(path: Path, kind: str) -> Iterable[Source]:
    """One settings file, if it is there and readable; claude itself reports a broken one."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(values, dict):
        yield Source(str(path), kind, values)


def check_litellm() -> str:
    """The installed LiteLLM's version. Raises WrongLitellm."""
    found = installed_litellm()
    refuse_litellm(found)
    return found


def installed_litellm() -> str:
    """The installed LiteLLM's version, without importing it; "none" where there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("litellm")
    except PackageNotFoundError:
        return "none"


def refuse_litellm(found: str) -> None:
    """Raise WrongLitellm unless `found` is the version openclaude is built and tested for."""
    reinstall = f"install it again with its own lock, which pins litellm=={LITELLM_VERSION}"
    if found in MALICIOUS_LITELLM:
        raise WrongLitellm(
            f"LiteLLM {found} is malicious: it steals credentials (OSV MAL-2026-2144)",
            hint=f"remove it, change every key this machine holds, then {reinstall}",
        )
    if found != LITELLM_VERSION:
        raise WrongLitellm(
            f"openclaude needs LiteLLM {LITELLM_VERSION} and found {found}", hint=reinstall
        )
