"""`openclaude env`: what another program needs to use the proxies of a profile.

Knows: the variables, and that each program gets a key of its own. Independent of: programs.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping

from openclaude.commands.help_page import (
    CONFIG,
    OVERRIDES,
    PROFILE,
    STATE,
    HelpPage,
    add_json,
    add_page,
    add_profile,
)
from openclaude.commands.launch import as_claude_goes, bring_up
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import profile_name, shorten
from openclaude.run.stack.places import stack_folder
from openclaude.run.stack.program_keys import LONGEST_NAME, give_key, programs_with_keys, revoke_key

NAME = "default"
PAGE = HelpPage(
    text="""\
Print the address, the certificate and a key with which another program uses the
proxies of a profile: the Agent SDK, an editor, a script. They are started if they
do not run. Each name has one key; asking again replaces it, and `--revoke` or
`openclaude lock` ends it at once. `openclaude status` lists the names.""",
    examples=("openclaude env --export", "openclaude env qwen --for editor --json"),
    variables=(*PROFILE, *OVERRIDES, *CONFIG, *STATE),
    docs="docs/programs.md",
)


class NoSuchProgram(OpenclaudeError):
    """A key that is not there to revoke."""

    code = "program-unknown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser)
    parser.add_argument(
        "--for", dest="program", metavar="PROGRAM", default=NAME, help=f"default: {NAME}"
    )
    parser.add_argument(
        "--export", action="store_true", help="print lines for `eval` in sh, bash or zsh"
    )
    parser.add_argument("--revoke", action="store_true", help="end the key of this program")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Give a program its key, or end it. Raises OpenclaudeError."""
    from openclaude.plan_cache import find_plan

    program = check_program(arguments.program)
    name = profile_name(arguments.profile, env, places)
    if arguments.revoke:
        return revoke(name, program, places)
    joined = bring_up(find_plan(name, places, env), places, as_claude_goes(env, places))
    folder = stack_folder(places.stacks, name)
    key = give_key(folder, program)
    variables = {
        "ANTHROPIC_BASE_URL": joined.url,
        "ANTHROPIC_CUSTOM_HEADERS": f"x-litellm-api-key: Bearer {key}",
        **({"NODE_EXTRA_CA_CERTS": joined.certificate} if joined.certificate else {}),
    }
    prefix = "export " if arguments.export else ""
    lines = (f"{prefix}{one}={shlex.quote(value)}\n" for one, value in variables.items())
    return Result(
        text="".join(lines),
        data={
            **{"profile": name, "program": program, "url": joined.url, "key": key},
            **{"certificate": joined.certificate, "variables": variables},
        },
    )


def revoke(name: str, program: str, places: Places) -> Result:
    """End a program's key. Raises NoSuchProgram."""
    folder = stack_folder(places.stacks, name)
    if not revoke_key(folder, program):
        known = ", ".join(f"`{one.name}`" for one in programs_with_keys(folder))
        raise NoSuchProgram(
            f"no program named `{program}` has a key of `{name}`",
            hint=f"these have: {known}" if known else "no program has one",
        )
    return Result(
        text=f"{name}: the key of `{program}` was revoked\n",
        data={"profile": name, "program": program},
    )


def check_program(name: str) -> str:
    """A program's name. Raises UsageError."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"`--for` cannot be `{shorten(name)}`",
            hint=f"it is 1 to {LONGEST_NAME} characters that can be printed",
        )
    return name
