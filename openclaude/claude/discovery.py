"""Which `claude` a launch runs.

Knows: OPENCLAUDE_CLAUDE, PATH, where installers put it, how a caller names one. Must not depend on
claude's arguments. Standard library only: it runs at every launch.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from openclaude.errors import ClaudeNotExecutable, ClaudeNotFound, OpenclaudeError
from openclaude.paths import on_path

INSTALL = (
    "install Claude Code (`npm install -g @anthropic-ai/claude-code`), or set OPENCLAUDE_CLAUDE to "
    "its binary"
)
# Where installers put it, below HOME: some of them only tell the shell (an alias, a startup file),
# and a menu, cron or an editor asks no shell. Anthropic's own first.
INSTALLED = (
    *(".local/bin", ".claude/local", ".claude/local/node_modules/.bin", ".npm-global/bin"),
    *(".bun/bin", ".volta/bin", ".local/share/pnpm", "Library/pnpm", ".yarn/bin", ".asdf/shims"),
    *(".local/share/mise/shims", ".nix-profile/bin", "node_modules/.bin"),
)
SHARED = ("/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin")
INTERPRETERS = frozenset({"node", "bun", "deno"})
SCRIPTS = (".js", ".mjs", ".cjs")
LARGEST_SCRIPT = 64 * 1024  # bytes
# How a script starts a program without the variables that it has got itself
CLEARED = (  # compiled only if it is needed
    rb"\benv\s+(-[a-z]*i|-\s|--ignore-environment|(-u\s*|--unset=)OPENCLAUDE_WAY)"
    rb"|\bexec\s+-c|\bunset\s[^\n]*OPENCLAUDE_WAY|\b(sudo|su|doas|ssh|systemd-run)\s"
)
VERSIONS = "/claude/versions/"  # where the native installer keeps binaries named 2.1.330


class NamedClaude(NamedTuple):
    """The claude that a caller has named in front of its arguments."""

    path: str
    leading: tuple[str, ...] = ()  # the script, where `path` is an interpreter


def find_claude(env: Mapping[str, str], passed: Iterable[str] = ()) -> str:
    """The path of the `claude` to become: OPENCLAUDE_CLAUDE, or the first on PATH.

    Those in `passed` have led back to openclaude. Raises ClaudeNotFound (exit 127) or
    ClaudeNotExecutable (126).
    """
    passed = frozenset(passed)
    named = env.get("OPENCLAUDE_CLAUDE", "")
    wanted = named or "claude"
    path = env.get("PATH", os.defpath)
    candidates = [wanted] if "/" in wanted else on_path(wanted, path)
    if not named:
        candidates += places(env)
    elif named in passed or forgets_the_way(named):
        candidates += [*on_path("claude", path), *places(env)]
    # os.path: a folder on PATH that may not be read has no claude for us, and is not an error
    found = [path for path in candidates if os.path.isfile(path) and not is_ourselves(path)]  # noqa: PTH113
    usable = [path for path in found if os.access(path, os.X_OK)]
    for path in usable:
        if path not in passed and not forgets_the_way(path):
            return path
    raise why_none(named, candidates, found, usable)


def why_none(
    named: str, candidates: list[str], found: list[str], usable: list[str]
) -> OpenclaudeError:
    """The error if no candidate will do."""
    from shlex import quote

    if usable:
        return ClaudeNotFound(
            f"`{usable[0]}` starts openclaude again, and there is no other `claude`", hint=INSTALL
        )
    if found:
        return ClaudeNotExecutable(
            f"`{found[0]}` is not executable", hint=f"run `chmod +x {quote(found[0])}`"
        )
    broken = next((path for path in candidates if os.path.islink(path)), "")  # noqa: PTH114
    if broken and not os.path.exists(broken):  # noqa: PTH110
        return ClaudeNotFound(
            f"`{broken}` is a link that leads nowhere: `{os.readlink(broken)}` does not exist",  # noqa: PTH115
            hint=f"remove it (`rm {quote(broken)}`), then {INSTALL}",
        )
    where = (
        f"`{named}` (OPENCLAUDE_CLAUDE) is not a file" if named else "there is no `claude` on PATH"
    )
    return ClaudeNotFound(where, hint=INSTALL)


def places(env: Mapping[str, str]) -> list[str]:
    """Where installers may have put a `claude` that is not on PATH."""
    home, config = env.get("HOME", ""), env.get("CLAUDE_CONFIG_DIR", "")
    folders = [f"{home}/{folder}" for folder in INSTALLED] if home.startswith("/") else []
    folders += [f"{config}/local"] if config.startswith("/") else []
    return [f"{folder}/claude" for folder in (*folders, *SHARED)]


def forgets_the_way(path: str) -> bool:
    """Whether a script names openclaude and gives it an environment without our mark.

    Such a script cannot be recognised by what it hands on (`way`), so its text has to do.
    """
    try:
        if os.stat(path).st_size > LARGEST_SCRIPT:  # noqa: PTH116 - every launch looks
            return False
        with open(path, "rb") as file:  # noqa: PTH123
            text = file.read(LARGEST_SCRIPT)
    except OSError:
        return False
    return text.startswith(b"#!") and b"openclaude" in text and bool(re.search(CLEARED, text))


def is_ourselves(path: str) -> bool:
    """Whether a `claude` is a link to openclaude, which would launch itself forever."""
    return os.path.realpath(path) == os.path.realpath(sys.argv[0])


def take_named(
    arguments: tuple[str, ...], env: Mapping[str, str]
) -> tuple[NamedClaude | None, tuple[str, ...]]:
    """The claude that a caller names in front of its arguments, and the arguments.

    VS Code's `claudeProcessWrapper` is called so: `openclaude /path/of/claude ARGUMENTS`, or
    `openclaude node /path/of/cli.js ARGUMENTS`. Raises ClaudeNotFound or ClaudeNotExecutable.
    """
    first = arguments[0] if arguments else ""
    name = first.rpartition("/")[2]
    if name in INTERPRETERS and (count := script_at(arguments)):
        programs = [first] if "/" in first else on_path(first, env.get("PATH", os.defpath))
        path = next((path for path in programs if os.access(path, os.X_OK)), first)
        return NamedClaude(path, arguments[1 : count + 1]), arguments[count + 1 :]
    if "/" not in first or not (name.startswith("claude") or VERSIONS in first) or " " in first:
        return None, arguments
    if os.path.isfile(first):  # noqa: PTH113
        if not os.access(first, os.X_OK):
            from shlex import quote

            raise ClaudeNotExecutable(
                f"`{first}` is not executable",
                hint=f"run `chmod +x {quote(first)}`; "
                f"`openclaude -- {quote(first)}` sends it as a prompt",
            )
        # openclaude itself, by another name, names nobody
        return (
            None if is_ourselves(first) or forgets_the_way(first) else NamedClaude(first)
        ), arguments[1:]
    if first.startswith("/") and name in {"claude", "claude.exe"} and not os.path.exists(first):  # noqa: PTH110
        raise ClaudeNotFound(
            f"there is no `{first}`",
            hint=f"name a `claude` that exists; `openclaude -- {first}` sends it as a prompt",
        )
    return None, arguments


def script_at(arguments: tuple[str, ...]) -> int:
    """Where an interpreter's script is among its arguments; 0 if there is none."""
    for count, argument in enumerate(arguments[1:], 1):
        if not argument.startswith("-"):
            is_script = "/" in argument and argument.endswith(SCRIPTS)
            return count if is_script and os.path.isfile(argument) else 0  # noqa: PTH113
    return 0
