"""What claude reports: its version, and who is logged in.

Knows: how claude is asked, what `claude auth status` answers (measured with 2.1.330). Must not
depend on what follows for a launch, which doctor's checks know.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from openclaude.claude.discovery import find_claude
from openclaude.claude.way import leave_mark, marked_environment

TIMEOUT_S = 15.0
LOG_IN = "claude auth login"
OURSELVES = "openclaude"  # the first word of our own `--version`
LOGIN_VARIABLE = "CLAUDE_CODE_OAUTH_TOKEN"
EMPTIED = json.dumps({"env": {"ANTHROPIC_AUTH_TOKEN": "", "ANTHROPIC_API_KEY": ""}})
PLAN_METHODS = frozenset({"claude.ai", "oauth_token"})


class Output(NamedTuple):
    """What claude printed, or why it could not be asked."""

    text: str = ""
    problem: str = ""


class Login(NamedTuple):
    """Who is logged in, according to `claude auth status`."""

    is_logged_in: bool
    method: str = ""  # claude.ai, oauth_token, api_key and others
    plan: str = ""  # pro, max and others; "" where claude does not say

    @property
    def is_plan(self) -> bool:
        """Whether the login is one of a Claude plan."""
        return self.method in PLAN_METHODS


class FoundClaude(NamedTuple):
    """The claude that a launch ends in, and what was asked on the way to it."""

    path: str
    version: Output
    wrappers: tuple[str, ...] = ()  # programs named `claude` that start openclaude again


def look_for_claude(
    env: Mapping[str, str], who: tuple[int, str], passed: tuple[str, ...] = ()
) -> FoundClaude:
    """The claude of a launch, asked for its version by the process `who`.

    `passed` have led back to openclaude already. Raises ClaudeNotFound or ClaudeNotExecutable.
    """
    wrappers: tuple[str, ...] = ()
    while True:
        path = find_claude(env, (*passed, *wrappers))
        version = ask_version(path, marked_environment(env, path, who, forgets=True))
        if version.text != OURSELVES:
            return FoundClaude(path, version, wrappers)
        wrappers += (path,)


def ask_version(path: str, env: Mapping[str, str]) -> Output:
    """The version that the claude at `path` prints."""
    found = run_claude((path, "--version"), env)
    return found._replace(text=found.text.split(" ")[0].strip())


def ask_login(path: str, env: Mapping[str, str], home: Path) -> Login | None:
    """Who is logged in to the claude at `path`; None for an answer that cannot be parsed.

    As a launch would find it: keys in the user's settings files, which a launch empties, are no
    login. A claude that was never started here and has no login here is not asked: its first start
    writes its own files, also for this question (measured with 2.1.330).
    """
    if not any(path.exists() for path in own_files(env, home)):
        has_token = bool(env.get(LOGIN_VARIABLE))
        return Login(is_logged_in=has_token, method="oauth_token" if has_token else "none")
    # its exit status says whether a user is logged in
    asked = (path, "--settings", EMPTIED, "auth", "status")
    found = read_login(run_claude(asked, env, may_fail=True).text)
    # an older claude takes no option there
    return found or read_login(run_claude((path, "auth", "status"), env, may_fail=True).text)


def own_files(env: Mapping[str, str], home: Path) -> tuple[Path, Path]:
    """Where claude keeps its state, and a login on Linux; with another directory if one is set."""
    moved = env.get("CLAUDE_CONFIG_DIR")
    login = Path(moved or home / ".claude", ".credentials.json")
    return Path(moved or home, ".claude.json"), login


def read_login(text: str) -> Login | None:
    """A login from the JSON that `claude auth status` prints; None for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return Login(
        is_logged_in=bool(found.get("loggedIn")),
        method=str(found.get("authMethod") or ""),
        plan=str(found.get("subscriptionType") or ""),
    )


def run_claude(argv: tuple[str, ...], env: Mapping[str, str], *, may_fail: bool = False) -> Output:
    """Run claude and return what it prints."""
    marks = leave_mark(argv[0])
    try:
        done = subprocess.run(
            argv,
            env=dict(env),
            pass_fds=marks,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        return Output(problem=error.strerror or str(error))
    except subprocess.TimeoutExpired:
        return Output(problem=f"no answer within {TIMEOUT_S:.0f} s")
    finally:
        for descriptor in marks:
            os.close(descriptor)
    if done.returncode and not may_fail:
        return Output(problem=f"exit status {done.returncode}")
    return Output(done.stdout)
