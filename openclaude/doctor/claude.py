"""claude itself: is it there, does it run, who is logged in.

Knows: what `claude auth status` answers (measured with 2.1.330). Refuses to know: how it is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World

TESTED = "2.1.330"
PLAN_METHODS = frozenset({"claude.ai", "oauth_token"})
LOG_IN = "run `claude auth login`"


def check_claude(world: World) -> Iterator[Finding]:
    """The program."""
    claude = world.claude
    if claude.missing:
        error = claude.missing
        why = "a launch becomes this program"
        yield Finding(error.code, STOPS, error.message, why, error.hint)
    elif claude.cannot_run:
        yield Finding(
            "claude-broken",
            STOPS,
            f"`{claude.path} --version` fails: {claude.cannot_run}",
            "a launch becomes this program",
            "reinstall Claude Code (`npm install -g @anthropic-ai/claude-code`), or name another "
            "binary with OPENCLAUDE_CLAUDE",
        )
    elif not numbers(claude.version):
        what = f"`{claude.path} --version` names no version"
        why = "whether it is Claude Code is not known"
        mend = "name the binary of Claude Code with OPENCLAUDE_CLAUDE"
        yield Finding("claude-unknown", WARNS, what, why, mend, claude.path)
    elif numbers(claude.version) < numbers(TESTED):
        yield Finding(
            "claude-old",
            WARNS,
            f"claude {claude.version} is older than {TESTED}, which openclaude is tested with",
            "an older one may not know what a launch tells it",
            "run `claude update`",
            claude.path,
        )
    else:
        yield Finding("claude", OK, f"claude {claude.version}", where=claude.path)


def numbers(version: str) -> tuple[int, ...]:
    """A version to compare; empty for a text that is none."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def check_login(world: World) -> Iterator[Finding]:
    """The login, as a launch would find it: without the variables that a launch takes away."""
    claude = world.claude
    if claude.missing or claude.cannot_run:
        return
    if world.wanted.auth in {"none", "api-key"}:
        yield Finding("login", OK, "this profile needs no Claude login")
    elif claude.login is None:
        yield Finding(
            "login-unknown",
            NOTE,
            "`claude auth status` gave no answer that openclaude understands",
            "whether you are logged in is not known",
            "see `claude auth status`",
        )
    else:
        yield judge_login(claude.login)


def judge_login(said: Mapping[str, Any]) -> Finding:
    """What a login is good for in a profile that forwards a plan's."""
    method = str(said.get("authMethod", ""))
    if not said.get("loggedIn"):
        why = "the tiers that stay Claude's are asked with your own login"
        return Finding("not-logged-in", WARNS, "claude is not logged in", why, LOG_IN)
    if method not in PLAN_METHODS:
        return Finding(
            "login-is-no-plan",
            WARNS,
            f"claude is logged in by `{method}`, not with a Claude plan",
            "a launch forwards a plan's login and no other",
            f'{LOG_IN}, or use a profile with `auth = "api-key"`',
        )
    kind = said.get("subscriptionType") or method
    return Finding("login", OK, f"logged in with a Claude plan ({kind})")
