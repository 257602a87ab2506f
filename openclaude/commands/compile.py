"""`openclaude compile`: everything that a profile becomes, to read or to copy.

Knows: how a plan is shown and written. Independent of: what is in it. No secret can be printed
here: a plan contains none, and local keys and the values of the user's own headers are shown as
placeholders.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaude.claude.launch import HEADERS, build_launch
from openclaude.claude.settings import look_at_launch
from openclaude.commands.help_page import (
    CACHE,
    CONFIG,
    OVERRIDES,
    PROFILE,
    HelpPage,
    add_json,
    add_page,
    add_profile,
)
from openclaude.commands.launch import PLAN_KEY, PLAN_URL
from openclaude.contracts.plan import Plan
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import make_folder, write_private
from openclaude.output import Result
from openclaude.paths import Places, working_folder
from openclaude.plan_cache import find_plan
from openclaude.profile.names import profile_name

if TYPE_CHECKING:
    from openclaude.compile.disclosure import Disclosure

OWN_VALUE = "<your own value>"
PAGE = HelpPage(
    text="""\
Print everything a profile becomes: who receives which text and credential, both
LiteLLM configs, claude's settings, and the plan for the two proxies. Nothing is
started, and no secret is printed: the files contain references to secrets, and
placeholders for local keys and the values of your own headers.""",
    examples=("openclaude compile", "openclaude compile qwen --out ./qwen"),
    variables=(*PROFILE, *OVERRIDES, *CONFIG, *CACHE),
    docs="docs/architecture.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the files to this directory")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Compile and show, or write with `--out`."""
    name = profile_name(arguments.profile, env, places)
    plan = find_plan(name, places, env)
    disclosures = find_disclosures(name, places, env)
    files = {**plan.files, **claude_files(plan, places, env), "plan.json": plan.to_json()}
    written: list[str] = []
    if arguments.out:
        written = write_all(arguments.out, files)
    text = "".join(f"wrote {path}\n" for path in written) or "".join(
        f"# {name}\n{text}\n" for name, text in files.items()
    )
    who = "".join(f"# {one.sentence}\n" for one in disclosures)
    return Result(
        text=f"{who}\n{text}",
        data={
            "profile": plan.profile,
            "digest": plan.digest,
            "files": files,
            "written": written,
            "disclosures": [one._asdict() for one in disclosures],
        },
    )


def find_disclosures(name: str, places: Places, env: Mapping[str, str]) -> tuple[Disclosure, ...]:
    """Who receives what; a plan does not say it in words."""
    from openclaude.compile.disclosure import disclose_profile
    from openclaude.models.catalog import Catalog
    from openclaude.profile.library import Library

    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    return disclose_profile(library.load(name, env=env), catalog)


def claude_files(plan: Plan, places: Places, env: Mapping[str, str]) -> dict[str, str]:
    """claude's settings and arguments here and now, with placeholders for address and key."""
    facts = look_at_launch((), "claude", env, places.home, working_folder())
    launch = build_launch(plan.launch, facts, url=PLAN_URL, key=PLAN_KEY)
    settings = {**launch.settings, "env": without_own_values(launch.settings["env"])}
    return {
        "claude-settings.json": pretty(settings),
        "claude-launch.json": pretty(
            {"argv": launch.argv, "removed_from_environment": plan.launch.remove}
        ),
    }


def without_own_values(environment: Mapping[str, str]) -> dict[str, str]:
    """claude's environment without the values of the user's own headers, which may be secrets."""
    lines = environment[HEADERS].splitlines()
    ours = lines.pop()  # a launch adds its own line at the end
    return {**environment, HEADERS: "\n".join([*map(without_value, lines), ours])}


def without_value(header: str) -> str:
    """A header line without its value; all of a line that has no name may be a secret."""
    name, colon, _ = header.partition(":")
    return f"{name}: {OWN_VALUE}" if colon else OWN_VALUE


def pretty(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=2) + "\n"


def write_all(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files, 0600, into a directory that is created if necessary.

    Raises UsageError, OpenclaudeError.
    """
    try:
        make_folder(folder)
    except FileExistsError:
        raise UsageError(f"`{folder}` is a file", hint="name a directory with `--out`") from None
    except OSError as error:
        raise OpenclaudeError(
            f"cannot create the directory `{folder}`: {error.strerror}",
            hint="name another one with `--out`",
        ) from error
    for name, text in files.items():
        write_private(folder / name, text)
    return [str(folder / name) for name in files]
