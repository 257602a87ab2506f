"""`openclaude aws setup --method api-key`: a Bedrock API key in place of an AWS profile.

Knows: where the key is kept, and that the profile only gets a reference to it. Independent of: how
a profile is changed. The key is never an argument, never shown, and in no other file.
"""

from __future__ import annotations

import argparse
import getpass
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from openclaude.aws.answers import API_KEY, BadAnswer
from openclaude.commands.aws.unasked import unasked
from openclaude.errors import OpenclaudeError
from openclaude.files import private_folder, read_regular, write_private
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import profile_name
from openclaude.prompt import confirm, is_attended, tell

VARIABLE = "AWS_BEARER_TOKEN_BEDROCK"
FORM = re.compile(r"[!-~]{16,8192}")
RULE = "a Bedrock API key is one line of 16 or more characters, without spaces"
LARGEST = 10_000  # bytes of a key's file


class KeyChosen(Exception):
    """The user wants a Bedrock API key, which needs no AWS profile."""


def set_up_key(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Find the key, show what would be written, and write it after confirmation.

    Raises BadAnswer, OpenclaudeError, KeyboardInterrupt.
    """
    name = profile_name(arguments.profile, env, places)
    path = places.config / "keys" / "bedrock"
    is_asked = is_attended() and not arguments.yes
    key = find_key(env, is_asked=is_asked, from_stdin=arguments.keys_from_stdin)
    reference = f"file:{path}" if key else f"env:{VARIABLE}"
    assignments = [("aws.api_key", reference)]
    assignments += [("aws.region", arguments.region)] if arguments.region else []
    shown = f"{keeps(path, key)}`{shlex.join(change_of(name, assignments))}`\n"
    data = {"name": name, "method": API_KEY, "reference": reference, "written": False}
    if arguments.dry_run:
        return Result(text=shown, data=data)
    if is_asked:
        tell(f"\n{shown}\n")
        if not confirm(f"do this for the profile `{name}`?"):
            raise OpenclaudeError("nothing changed")
    elif not arguments.yes:
        return unasked(shown, data, as_json=arguments.json)
    done = store(path, key, places, name, env, assignments)
    kept = f"wrote `{path}`, which only you can read\n" if key else ""
    return Result(text=kept + done.text, data={**data, "written": True})


def keeps(path: Path, key: str) -> str:
    """What is written beside the profile."""
    if not key:
        return ""
    before = read_regular(path, LARGEST).decode(errors="replace").strip() if path.exists() else ""
    is_other = " in place of the one that is there" if before and before != key else ""
    return f"the key, into `{path}` (0600){is_other}\n"


def change_of(name: str, assignments: list[tuple[str, str]]) -> list[str]:
    """The command that gives the profile the reference."""
    return ["openclaude", "profiles", "set", name, *map("=".join, assignments)]


def store(
    path: Path,
    key: str,
    places: Places,
    name: str,
    env: Mapping[str, str],
    assignments: list[tuple[str, str]],
) -> Result:
    """Write the key, then the reference; a key that no profile names is not left behind.

    Raises OpenclaudeError.
    """
    from openclaude.commands.profiles.command import open_library
    from openclaude.commands.profiles.set import set_keys

    before = read_regular(path, LARGEST) if path.exists() else None
    if key:
        private_folder(path.parent)
        write_private(path, f"{key}\n")
    try:
        return set_keys(places, open_library(places), name, env, assignments)
    except OpenclaudeError:
        if key and before is None:
            path.unlink(missing_ok=True)
        elif key and before is not None:
            write_private(path, before.decode(errors="replace"))
        raise


def find_key(env: Mapping[str, str], *, is_asked: bool, from_stdin: bool) -> str:
    """The key; "" to leave it in the variable, whose name the profile then has.

    Raises BadAnswer, KeyboardInterrupt.
    """
    if from_stdin:
        return checked(sys.stdin.read(100_000).strip())
    is_set = bool(env.get(VARIABLE, "").strip())
    if not is_asked:
        if is_set:
            return ""
        raise BadAnswer(
            "there is no Bedrock API key",
            hint=f"give it on stdin with `--keys-from-stdin`, or set {VARIABLE}",
        )
    if is_set and confirm(f"use {VARIABLE}, which has to be set at every launch then?"):
        return ""
    while True:
        try:
            return checked(getpass.getpass("Bedrock API key (not shown): ", stream=sys.stderr))
        except EOFError:  # Ctrl-D
            tell("\n")
            raise KeyboardInterrupt from None
        except BadAnswer as error:
            tell(f"error: {error.message}\n")


def checked(text: str) -> str:
    """A key that Bedrock could have made. Raises BadAnswer, which never repeats it."""
    if not FORM.fullmatch(text.strip()):
        raise BadAnswer(RULE, hint="create one in the Amazon Bedrock console, API keys")
    return text.strip()
