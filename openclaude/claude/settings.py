"""claude's settings files: where they are, and their values.

Knows: which files claude reads, in which order (measured with 2.1.330), and the user's own
`--settings`. Must not depend on their effect, which `claude/launch.py` knows. Standard library
only: it runs at every launch.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.claude.certificates import EXTRA
from openclaude.claude.json_text import parse_json, text_of_file
from openclaude.claude.launch import HEADERS, LaunchFacts, SettingsFile, take_out
from openclaude.claude.network import NO_PROXIES, PROXIES
from openclaude.errors import UsageError

MANAGED_FOLDERS = {
    "linux": Path("/etc/claude-code"),
    "darwin": Path("/Library/Application Support/ClaudeCode"),
}


# A repository's: whoever wrote it may be nobody the user knows
FROM_REPOSITORY = frozenset({"project", "local"})
# what goes into the settings of a launch
WISHES = frozenset({"modelPicker", "statusLine"})
# Of `env`, what goes into the settings of a launch
COPIED = frozenset({HEADERS, EXTRA, *NO_PROXIES})
# and what goes to the instances, which serve other sessions as well
SHARED = frozenset(PROXIES)
LARGEST = 8 * 1024 * 1024  # bytes of a settings file


class BrokenSettings(NamedTuple):
    """A settings file that exists but cannot be read."""

    path: str
    why: str


def look_at_launch(
    arguments: tuple[str, ...], claude: str, env: Mapping[str, str], home: Path, cwd: Path
) -> LaunchFacts:
    """The facts for one launch of `claude` with the user's `arguments`.

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
        settings=tuple(
            as_taken(source, arguments, env, home, cwd)
            for source in find_settings(arguments, env, home, cwd)
        ),
    )


def as_taken(
    source: SettingsFile, arguments: tuple[str, ...], env: Mapping[str, str], home: Path, cwd: Path
) -> SettingsFile:
    """A settings file without the wishes of a repository that its user does not trust.

    What is in `--settings` holds at once, and claude asks whether a folder is trusted only later.
    With `-p` it never asks; the instances serve more than this one session.
    """
    if source.kind not in FROM_REPOSITORY or not has_wishes(source) or is_trusted(env, home, cwd):
        return source
    is_asked = not {"-p", "--print"} & {*arguments}
    return without_wishes(source) if is_asked else without(source, SHARED)


def has_wishes(source: SettingsFile) -> bool:
    """Whether a launch would take anything of it."""
    own = source.values.get("env")
    return bool(WISHES & source.values.keys()) or bool(
        isinstance(own, dict) and (COPIED | SHARED) & own.keys()
    )


def without_wishes(source: SettingsFile) -> SettingsFile:
    """The file as a launch takes it that copies nothing of it."""
    values = {name: value for name, value in source.values.items() if name not in WISHES}
    return without(source._replace(values=values), COPIED | SHARED)


def without(source: SettingsFile, names: frozenset[str]) -> SettingsFile:
    """The file without some variables."""
    own = source.values.get("env")
    if not isinstance(own, dict):
        return source
    kept = {name: value for name, value in own.items() if name not in names}
    return source._replace(values={**source.values, "env": kept})


def is_trusted(env: Mapping[str, str], home: Path, cwd: Path) -> bool:
    """Whether the user has told claude to trust a folder, or one above it, as claude does.

    Inferred from its `.claude.json`; where that cannot be read, nothing is trusted.
    """
    try:
        path = Path(env.get("CLAUDE_CONFIG_DIR") or home) / ".claude.json"
        document: Any = parse_json(read_bounded(path, is_regular=True))
        projects = document["projects"]
        return any(
            projects[str(folder)].get("hasTrustDialogAccepted") is True
            for folder in (cwd, *cwd.parents)
            if str(folder) in projects
        )
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return False


def read_own_settings(value: str, cwd: Path) -> dict[str, Any]:
    """The user's `--settings`: a path, or JSON itself. Raises UsageError."""
    try:
        text = value if value.lstrip().startswith("{") else read_bounded(cwd / value)
        settings = parse_json(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"cannot read your `--settings`: {error}",
            hint="give the path of a JSON file, or a JSON object",
        ) from error
    if not isinstance(settings, dict):
        raise UsageError("your `--settings` is not a JSON object", hint="it must start with `{`")
    return settings


def find_settings(
    arguments: tuple[str, ...], env: Mapping[str, str], home: Path, cwd: Path
) -> Iterable[SettingsFile]:
    """claude's readable settings files, strongest first; claude itself reports broken ones."""
    for path, kind in settings_files(arguments, env, home, cwd):
        found = read_settings(path, kind)
        if isinstance(found, SettingsFile):
            yield found


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


def read_settings(path: Path, kind: str) -> SettingsFile | BrokenSettings | None:
    """One settings file, or None where there is none."""
    try:
        text = read_bounded(path, is_regular=True)
        values = parse_json(text)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except RecursionError:
        return BrokenSettings(str(path), "it is nested too deeply")
    except (OSError, ValueError) as error:
        return BrokenSettings(str(path), " ".join(str(error).split()))
    if not isinstance(values, dict):
        return BrokenSettings(str(path), "it is not a JSON object")
    return SettingsFile(path=str(path), kind=kind, values=values, text=text)


def read_bounded(path: Path, *, is_regular: bool = False) -> str:
    """A file's text. Raises OSError or ValueError.

    A repository decides what is at its files' names: a link to a device without end, a pipe that
    nobody writes. What the user names may be a pipe: `--settings <(jq ...)`.
    """
    nonblocking = os.O_NONBLOCK if is_regular else 0
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | nonblocking)
    with os.fdopen(descriptor, "rb") as file:
        if is_regular and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST // 1024 // 1024} MB")
    return text_of_file(text)
