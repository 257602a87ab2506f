"""Turns the results of a run into a verdict: works, differs or broken.

Knows: which result breaks something. Independent of: processes, files, what a page looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import budgets
from differences import Difference, differences
from exchanges import Record
from page import Finding, Page
from places import ON_A_SLOT
from replay import changes

ROUTER = "openclaude/gateway/routing/router.py"
SHOWN_BODIES = 5
SHOWN_FIGURES = ("start_method", "modules", "pss_mb", "start_s", "claude_ms", "slot_ms")


def judge_client(old: Record, new: Record, checked: Mapping[str, Any]) -> Page:
    """Compare a version of claude with the record of another."""
    found = differences(old, new)
    breaks = [*broken_situations(found), *broken_requests(checked)]
    facts = [
        f"{sum(len(mode) for mode in new.modes.values())} situations in {len(new.modes)} modes, "
        f"{len(new.exchanges())} requests, recorded on {new.date}",
        f"{checked['replayed']} of them sent again at main: {len(checked['problems'])} problems",
    ]
    is_wire = any(one.where for one in found)
    result = "broken" if breaks else "differs" if is_wire else "works"
    title = f"Claude Code {old.version} -> {new.version}"
    return Page(title, result, facts, breaks, found, ())


def broken_situations(found: Sequence[Difference]) -> list[Finding]:
    """Yield the situations that no longer end as before."""
    return [
        Finding(
            f"{one.kind}: {one.text} ({', '.join(one.where[:5])})",
            f"{one.place.file} ({one.place.why})",
        )
        for one in found
        if one.is_break
    ]


def broken_requests(checked: Mapping[str, Any]) -> list[Finding]:
    """Yield what must be true of every request, but is not."""
    texts: dict[str, list[str]] = {}
    for problem in checked["problems"]:
        texts.setdefault(problem["about"], []).append(problem["request"])
    return [
        Finding(f"{about} ({len(requests)} requests, one is {requests[0]})", place_of(about))
        for about, requests in texts.items()
    ]


def place_of(problem: str) -> str:
    """Return the file for a problem of a request, as far as its text tells."""
    if "openclaude-" in problem:
        return ON_A_SLOT["body key"].file
    return ROUTER if "claude-" in problem else "openclaude/run/worker/"


def judge_litellm(
    before: str, version: str, checked: Mapping[str, Any], base: Mapping[str, Any]
) -> Page:
    """Compare a version of LiteLLM with another: names, budgets, requests.

    `base` has the accepted budgets and bodies at Bedrock.
    """
    missing = [
        Finding(
            f"LiteLLM {version} lacks `{one['name']}`",
            f"openclaude/gateway/litellm/{one['user']}.py",
        )
        for one in checked.get("names", ())
    ]
    figures, limits = checked["budgets"], base["budgets"]
    over = (
        [Finding(*text.rsplit(": ", 1)) for text in budgets.exceeded(figures, limits)]
        if figures
        else []
    )
    breaks = [*missing, *broken_requests(checked), *over]
    bodies = changed_bodies(checked["converse"], base["converse"])
    facts = [
        f"{len(checked.get('names', ()))} of the names that openclaude uses are missing",
        f"{checked['replayed']} recorded requests sent again: {len(checked['problems'])} problems, "
        f"{len(bodies)} other bodies at Bedrock",
        "budgets: "
        + ", ".join(
            f"{name} {figures.get(name, '-')} ({before}: {limits.get(name, '-')})"
            for name in SHOWN_FIGURES
        ),
    ]
    result = "broken" if breaks else "differs" if bodies else "works"
    title = f"LiteLLM {before} -> {version}"
    return Page(title, result, facts, breaks, (), bodies[:SHOWN_BODIES])


def changed_bodies(
    now: Mapping[str, Mapping[str, Any]], accepted: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Return the bodies at Bedrock that differ from the accepted ones; each kind of change once."""
    found = {
        changes(before, now[version][request]): f"{version} {request}"
        for version, bodies in accepted.items()
        for request, before in bodies.items()
        if request in now.get(version, {}) and now[version][request] != before
    }
    return [f"{request}\n{text}" for text, request in found.items()]
