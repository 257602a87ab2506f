"""build/contract: record, compare, replay, measure; one page, exit status 1 on a break.

Knows: the order of things. Independent of: how each is done. What runs a client or a stack runs
in a process of its own without a network; only `fetch` uses one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import budgets
import compat
import fetch
import replay
from exchanges import FOLDER, Record, kept, load
from job import isolation
from judge import judge_client, judge_litellm
from page import Page, render

from openclaude.compatibility import Outcome, Trial
from openclaude.litellm_version import LITELLM_VERSION, MALICIOUS_LITELLM
from tests.pinned import CLAUDE_VERSION

HERE = Path(__file__).resolve().parent
PROGRAM = Path(sys.executable).with_name("openclaude")


def main() -> int:
    """Run the requested command; return 1 if something is broken."""
    arguments = read_arguments()
    fetch.WORK.mkdir(parents=True, exist_ok=True)
    match arguments.what:
        case "claude":
            return try_claude(arguments.version, keep=arguments.keep)
        case "litellm":
            return try_litellm(arguments.version, arguments.since)
        case "watch":
            return watch()
        case "versions":
            return try_versions(fetch.published_claudes(), write=not arguments.check)
        case _:
            return accept()


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="build/contract")
    words = parser.add_subparsers(dest="what", required=True)
    claude = words.add_parser("claude", help="record a version of claude and compare it")
    claude.add_argument("version")
    claude.add_argument("--keep", action="store_true", help="commit its record to tests/contract")
    litellm = words.add_parser("litellm", help="try a version of LiteLLM in place of the pin")
    litellm.add_argument("version")
    litellm.add_argument("--since", default=LITELLM_VERSION, help="compare with this, not the pin")
    words.add_parser("watch", help="the newest of both, unless they were tried already")
    versions = words.add_parser("versions", help="the main job with the versions people have")
    versions.add_argument("--check", action="store_true", help="write nothing into compat.json")
    words.add_parser("accept", help="accept what Bedrock is sent now, and what the stack costs")
    return parser.parse_args()


# claude ------------------------------------------------------------------------------------------


def try_claude(version: str, *, keep: bool) -> int:
    """Record it in every situation and mode, compare it with the pinned one."""
    claude = fetch.claude(version)
    path = fetch.WORK / f"{version}.json.xz"
    alone("record.py", version, claude, path)
    checked = check(PROGRAM, path)
    new = load(path)
    page = judge_client(baseline(new), new, checked)
    if keep:
        FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, FOLDER / path.name)
        replay.accept(version, checked["converse"][version])
    note(version, LITELLM_VERSION, page.result, "all")
    return finish(page, f"claude-{version}")


def baseline(new: Record) -> Record:
    """Return the record to compare with: that of the pinned claude; its own if there is none."""
    path = kept().get(CLAUDE_VERSION)
    return load(path) if path else new


def try_versions(published: list[str], *, write: bool) -> int:
    """Run the main job with each of some versions; record success and failure."""
    chosen = fetch.sampled(published, CLAUDE_VERSION)
    paths = {version: fetch.WORK / f"{version}-main.json.xz" for version in chosen}
    clients = [
        part
        for version, path in paths.items()
        for part in (version, str(fetch.claude(version)), str(path))
    ]
    alone("record.py", *clients, "--main-job", "--modes", "usual")
    checked = check(PROGRAM, *paths.values())
    status = 0
    for version, path in paths.items():
        failed = [*failures(load(path)), *problems_of(version, checked)]
        say(f"claude {version}: {'; '.join(failed) or 'works'}")
        if write:
            note(version, LITELLM_VERSION, "broken" if failed else "works", "main job")
        status |= bool(failed)
        if version not in (CLAUDE_VERSION, published[-1]):
            fetch.forget_claude(version)
    return status


def failures(record: Record) -> list[str]:
    """Return the situations of the main job that failed."""
    return [
        f"{name}: {it.exit}"
        for name, it in record.modes["usual"].items()
        if it.exit != "0" or any(is_bad(one.status) for one in it.exchanges if one.body)
    ]


def problems_of(version: str, checked: dict[str, Any]) -> list[str]:
    """Return what the replay of one version has found."""
    found = (problem["about"] for problem in checked["problems"])
    return sorted({about for about in found if about.startswith(f"{version}: ")})


def is_bad(status: int) -> bool:
    """Tell whether a request was refused, or its answer was cut off."""
    return status >= 400 or status == 0


# LiteLLM -----------------------------------------------------------------------------------------


def try_litellm(version: str, since: str = LITELLM_VERSION) -> int:
    """Install it in place of the pin, replay every record, measure, run the main job."""
    if version in MALICIOUS_LITELLM:
        raise SystemExit(f"build/contract: LiteLLM {version} is malicious and is not installed")
    program = program_with(version)
    python = program.with_name("python")
    names = json.loads(fetch.output_of(python, "-E", HERE / "litellm_names.py", cwd=fetch.WORK))
    checked = check(program, *kept().values())
    checked["names"] = names
    if since == LITELLM_VERSION:
        bodies = {one: replay.accepted(one) for one in kept()}
        base = {"budgets": budgets.accepted(), "converse": bodies}
    else:
        base = check(program_with(since), *kept().values())
    page = judge_litellm(since, version, checked, base)
    note(CLAUDE_VERSION, version, page.result, "all")
    return finish(page, f"litellm-{version}")


def program_with(litellm: str) -> Path:
    """Return openclaude's program with a version of LiteLLM."""
    is_pin = litellm == LITELLM_VERSION
    return PROGRAM if is_pin else fetch.openclaude_with(litellm, LITELLM_VERSION)


# Both --------------------------------------------------------------------------------------------


def watch() -> int:
    """Try the newest of both, unless they were tried already."""
    status = 0
    claude, litellm = fetch.newest_claude(), fetch.newest_litellm()
    if compat.is_tried(claude, LITELLM_VERSION):
        say(f"claude {claude} was tried already")
    else:
        status |= try_claude(claude, keep=False)
    if compat.is_tried(CLAUDE_VERSION, litellm):
        say(f"LiteLLM {litellm} was tried already")
    else:
        status |= try_litellm(litellm)
    return status


def accept() -> int:
    """Accept what the pin does now."""
    checked = check(PROGRAM, *kept().values())
    for version, bodies in checked["converse"].items():
        replay.accept(version, bodies)
    budgets.ACCEPTED.write_text(json.dumps(checked["budgets"], indent=1) + "\n")
    for problem in checked["problems"]:
        say(problem["about"])
    return int(bool(checked["problems"]))


def check(program: Path, *records: Path) -> dict[str, Any]:
    """Replay records with a stack of this program, and measure it."""
    output = fetch.WORK / "checked.json"
    output.unlink(missing_ok=True)
    alone("check.py", program, output, *records)
    return dict(json.loads(output.read_text()))


def alone(script: str, *arguments: str | Path) -> None:
    """Run a script of this folder in a loopback-only network."""
    argv: Sequence[str | Path] = (*isolation(), sys.executable, HERE / script, *arguments)
    ran = subprocess.run([str(part) for part in argv], cwd=fetch.ROOT)
    if ran.returncode not in (0, 1):
        raise SystemExit(f"build/contract: {script} failed with {ran.returncode}")


def note(claude: str, litellm: str, result: str, scope: str) -> None:
    """Write the result of a trial into the table."""
    compat.note(Trial(claude, litellm, Outcome(result), time.strftime("%Y-%m-%d"), scope))


def finish(page: Page, name: str) -> int:
    """Print the page and save it."""
    text = render(page)
    path = fetch.WORK / f"{name}.md"
    path.write_text(text)
    sys.stdout.write(text)
    say(f"this page is in {path.relative_to(fetch.ROOT)}")
    return int(bool(page.breaks))


def say(text: str) -> None:
    """Print a line that is not part of the page."""
    sys.stderr.write(f"contract: {text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
