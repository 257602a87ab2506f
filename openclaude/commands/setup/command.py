"""`openclaude setup`: prepares a first launch; can be run again.

Knows: the steps and their order. Independent of: how a step is done (`setup_steps`). Existing
values are left unchanged; each step writes only what it announces, atomically.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from openclaude.commands.help_page import (
    AWS_FILES,
    CLAUDE,
    CONFIG,
    OVERRIDES,
    PROFILE,
    HelpPage,
    add_json,
    add_page,
    add_profile,
)
from openclaude.commands.setup.steps import (
    ALREADY,
    MADE,
    MISSING,
    SKIPPED,
    STEPS,
    Done,
    Setup,
    take_steps,
)
from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.prompt import is_attended
from openclaude.terminal.screen import BAD, DIM, GOOD, find_screen
from openclaude.terminal.tables import Cell, paragraph, table

STYLES = {ALREADY: GOOD, MADE: GOOD, SKIPPED: DIM, MISSING: BAD}

LAUNCH = "openclaude"


PAGE = HelpPage(
    text="""\
Prepare a first launch, step by step: Claude Code and its login, a profile, the
AWS profile or key it needs. It leaves what you already have untouched, and can
be run again. The exit status is 1 if a step is left.""",
    examples=("openclaude setup", "openclaude setup openai --skip models"),
    variables=(*PROFILE, *OVERRIDES, *CLAUDE, *AWS_FILES, *CONFIG),
    docs="docs/install.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser, "make this profile the default")
    parser.add_argument(
        "--skip", metavar="STEP", action="append", default=[], choices=tuple(STEPS), help=names()
    )
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing, only report what is missing"
    )
    parser.add_argument(
        "--guided",
        action="store_true",
        help="begin anew with a few questions: plan, models, keys, one test request",
    )
    add_json(parser)


def names() -> str:
    """The steps, for the help."""
    return f"skip a step ({', '.join(STEPS)}); can be repeated"


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Take every step. Exit status 1 if a step is left that would stop a launch."""
    if arguments.guided:
        return guided(places, env)
    setup = Setup(
        places=places,
        env=env,
        asked=arguments.profile,
        may_ask=is_attended() and not arguments.yes,
    )
    done = take_steps(setup, frozenset(arguments.skip))
    missing = [one for one in done if one.state == "missing"]
    screen = find_screen(sys.stdout, env)
    rows = [(Cell(one.state, STYLES[one.state]), one.step, one.what) for one in done]
    text = table(("STATE", "STEP", "WHAT"), rows, screen)
    text += "".join(f"\n{paragraph(f'{one.step}: {one.fix}', screen, '  ')}" for one in missing)
    text += ("\n" if missing else "") + "\n" + closing(done, is_ready=not missing)
    return Result(
        text=text,
        data={
            "ready": not missing,
            "steps": [as_data(one) for one in done],
        },
        exit_code=1 if missing else 0,
    )


def guided(places: Places, env: Mapping[str, str]) -> Result:
    """The guided start, without the launch at its end. Raises UsageError without a terminal."""
    if not is_attended():
        raise UsageError(
            "the guided start asks questions, but there is no terminal",
            hint="`openclaude setup --yes` only reports what is missing",
        )
    from openclaude.commands.guide.guide import start_guide

    name = start_guide(places, env)
    text = f"start with: {LAUNCH}\n" if name else ""
    return Result(text=text, data={"profile": name}, exit_code=0)


def closing(done: list[Done], *, is_ready: bool) -> str:
    """What to do next."""
    if is_ready:
        return f"start with: {LAUNCH}\n"
    count = sum(one.state == "missing" for one in done)
    left = "1 step left" if count == 1 else f"{count} steps left"
    return f"{left}; then run `openclaude setup` again, or see `openclaude doctor`\n"


def as_data(done: Done) -> dict[str, str]:
    """A step as JSON; `state` and `mend` are `status` and `fix` as they were called before."""
    return {
        "step": done.step,
        "status": done.state,
        "what": done.what,
        "fix": done.fix,
        "state": "so already" if done.state == "ok" else done.state,
        "mend": done.fix,
    }
