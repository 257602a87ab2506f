"""`openclaude compile`: what a profile becomes, to read or to take elsewhere.

Knows: how a plan is shown and written. Refuses to know: what is in it. No secret can be printed
here: a plan holds none, and the places of local keys are shown as placeholders.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaude.commands.launch import PLAN_KEY, PLAN_URL
from openclaude.commands.planning import find_plan
from openclaude.compile.merge import build_launch
from openclaude.compile.plan import Plan
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.facts import look_at_launch, working_folder
from openclaude.output import Result
from openclaude.places import Places
from openclaude.profile.names import profile_name
from openclaude.run.files import write_private


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("--profile", metavar="NAME", help="the profile to compile")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the files into this folder")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Compile and show, or write with `--out`."""
    plan = find_plan(profile_name(arguments.profile, env, places), places, env)
    files = {**plan.files, **claude_files(plan, places, env), "plan.json": plan.to_json()}
    written: list[str] = []
    if arguments.out:
        written = write_all(arguments.out, files)
    text = "".join(f"wrote {path}\n" for path in written) or "".join(
        f"# {name}\n{text}\n" for name, text in files.items()
    )
    return Result(
        text=text,
        data={"profile": plan.profile, "digest": plan.digest, "files": files, "written": written},
    )


def claude_files(plan: Plan, places: Places, env: Mapping[str, str]) -> dict[str, str]:
    """What claude would be given here and now, with placeholders where address and key go."""
    facts = look_at_launch((), "claude", env, places.home, working_folder())
    launch = build_launch(plan.launch, facts, url=PLAN_URL, key=PLAN_KEY)
    return {
        "claude-settings.json": pretty(launch.settings),
        "claude-launch.json": pretty(
            {"argv": launch.argv, "removed_from_environment": plan.launch.remove}
        ),
    }


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2) + "\n"


def write_all(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files, 0600, into a folder that is made when it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(f"`{folder}` is a file", hint="name a folder with `--out`") from None
    except OSError as error:
        raise OpenclaudeError(
            f"cannot make the folder `{folder}`: {error.strerror}",
            hint="name another one with `--out`",
        ) from error
    for name, text in files.items():
        write_private(folder / name, text)
    return [str(folder / name) for name in files]
