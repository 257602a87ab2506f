"""`openclaude setup`: from nothing to a first launch, in one command that can be run again.

Knows: the steps and their order. Refuses to know: how a step is done (`setup_steps`). What is so
already is left as it is; nothing is written but what a step says, and that in one piece.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from openclaude.commands.profiles_ask import is_attended
from openclaude.commands.setup_steps import STEPS, Done, Setup, take_steps
from openclaude.output import Result, table
from openclaude.places import Places

LAUNCH = "openclaude"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("--profile", metavar="NAME", help="the profile to use from now on")
    parser.add_argument(
        "--skip", metavar="STEP", action="append", default=[], choices=tuple(STEPS), help=names()
    )
    parser.add_argument("--yes", action="store_true", help="ask nothing; what is missing is told")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def names() -> str:
    """The steps, for the help."""
    return f"leave out a step: {', '.join(STEPS)}; can be given again"


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Take every step. Exit status 1 when something is left that would stop a launch."""
    setup = Setup(
        places=places,
        env=env,
        asked=arguments.profile,
        may_ask=is_attended() and not arguments.yes,
    )
    done = take_steps(setup, frozenset(arguments.skip))
    missing = [one for one in done if one.state == "missing"]
    rows = [(one.state, one.step, one.what) for one in done]
    text = table(("STATE", "STEP", "WHAT"), rows)
    text += "".join(f"\n{one.step}: {one.mend}" for one in missing)
    text += ("\n" if missing else "") + "\n" + closing(done, is_ready=not missing)
    return Result(
        text=text,
        data={
            "ready": not missing,
            "steps": [one._asdict() for one in done],
        },
        exit_code=1 if missing else 0,
    )


def closing(done: list[Done], *, is_ready: bool) -> str:
    """What to do next."""
    if is_ready:
        return f"start with: {LAUNCH}\n"
    left = "1 thing is" if sum(one.state == "missing" for one in done) == 1 else "some things are"
    return f"{left} left to do; then run `openclaude setup` again, or see `openclaude doctor`\n"
