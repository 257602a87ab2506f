"""`openclaude aws setup`: a named AWS profile, made or changed in the user's own files.

Knows: the steps, and that nothing is written before the exact change is confirmed. Independent of:
what a profile consists of, what the files look like.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from openclaude.aws.answers import API_KEY, Answers, BadAnswer, check_answers
from openclaude.aws.edit_files import (
    AwsFile,
    FileChange,
    apply,
    plan_file_changes,
    read_aws_file,
    shown_path,
)
from openclaude.aws.locations import find_files
from openclaude.aws.setup import edits, profile_names, read_answers
from openclaude.commands.aws.api_key import KeyChosen, set_up_key
from openclaude.commands.aws.questions import interview
from openclaude.commands.aws.unasked import unasked
from openclaude.errors import OpenclaudeError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import default_profile_name
from openclaude.prompt import confirm, is_attended, tell

AWS_PROFILE, REGION = "openclaude", "us-west-2"
FLAGS = {
    "method": "method",
    "region": "region",
    "start_url": "sso_start_url",
    "sso_region": "sso_region",
    "account": "account",
    "role": "role",
    "source_profile": "source_profile",
    "command": "command",
}


class Files(NamedTuple):
    """Both files as they were read."""

    config: AwsFile
    credentials: AwsFile

    @property
    def names(self) -> tuple[str, ...]:
        """Every AWS profile there is."""
        return tuple(profile_names(self.config.sections, self.credentials.sections))

    def answers(self, name: str) -> Answers:
        """The current values of a profile."""
        return read_answers(name, self.config.sections, self.credentials.sections)


def set_up(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Collect the answers, show the change, and write it after confirmation."""
    if arguments.method == API_KEY:
        return set_up_key(arguments, places, env)
    try:
        return set_up_profile(arguments, places, env)
    except KeyChosen:
        return set_up_key(arguments, places, env)


def set_up_profile(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """The same for a named AWS profile. Raises KeyChosen."""
    paths = find_files(env, places.home)
    files = Files(*(read_aws_file(kind, path) for kind, path in paths.items()))
    answers = find_answers(arguments, places, env, files)
    changes = plan_file_changes(reversed(files), edits(answers, files.config.sections))
    shown = "".join(change.shown(places.home) for change in changes)
    data = {
        "name": answers.name,
        "method": answers.method,
        "region": answers.region,
        "changed": [str(change.file.path) for change in changes],
        "diff": shown,
        "written": False,
    }
    if not changes:
        text = f"AWS profile `{answers.name}` is already set up that way; nothing changed\n"
        return Result(text=text, data=data)
    if arguments.dry_run:
        return Result(text=shown, data=data)
    if not arguments.yes and not is_attended():
        return unasked(shown, data, as_json=arguments.json)
    if not arguments.yes:
        ask_first(shown, answers.name)
    return write(changes, answers, places.home, env, data, is_asked=not arguments.yes)


# --- answers


def find_answers(
    arguments: argparse.Namespace, places: Places, env: Mapping[str, str], files: Files
) -> Answers:
    """All answers: from flags, existing values and prompts."""
    name, region = defaults(arguments.profile, places, env)
    given = {answer: getattr(arguments, flag) for answer, flag in FLAGS.items()}
    said = {answer: value for answer, value in given.items() if value}
    if arguments.keys_from_stdin:
        said |= read_keys()
    if is_attended() and not arguments.yes and not arguments.keys_from_stdin:
        asked = interview(arguments.name, name, region, said, files.names, files.answers)
        return check_answers(asked, files.names, files.answers(asked.name))
    name = arguments.name or name
    before = files.answers(name)
    kept = before if said.get("method", before.method) == before.method else Answers(name)
    fresh = kept._replace(region=before.region or region)._replace(**said)
    return check_answers(fresh, files.names, before)


def defaults(given: str | None, places: Places, env: Mapping[str, str]) -> tuple[str, str]:
    """The AWS profile and the region that a profile of openclaude's names, else the usual ones."""
    from openclaude.plan_cache import OVERRIDES
    from openclaude.profile.library import Library

    library = Library(places.profiles, places.shipped)
    overrides = {key: env[key] for key in OVERRIDES if env.get(key)}
    name = given or default_profile_name(env, places)
    aws = library.load(name, env=overrides).profile.aws
    return aws.profile or AWS_PROFILE, aws.region or REGION


def read_keys() -> dict[str, str]:
    """An access key from stdin: its id, the secret and maybe a session token, a line each.

    Raises BadAnswer.
    """
    lines = [line.strip() for line in sys.stdin.read(100_000).splitlines()]
    if len(lines) not in (2, 3) or not all(lines):
        raise BadAnswer(
            "`--keys-from-stdin` reads two lines or three",
            hint="access key id, secret access key, and a session token where there is one",
        )
    key_id, secret, *token = lines
    return {"method": "keys", "key_id": key_id, "secret": secret, "token": "".join(token)}


# --- the change


def ask_first(shown: str, name: str) -> None:
    """Raise unless the user confirms the change."""
    tell(f"\n{shown}\n")
    if not confirm(f"write this for AWS profile `{name}`?"):
        raise OpenclaudeError("nothing changed")


def write(
    changes: list[FileChange],
    answers: Answers,
    home: Path,
    env: Mapping[str, str],
    data: Mapping[str, object],
    *,
    is_asked: bool,
) -> Result:
    """Make the change, and report the next step."""
    lines, backups = [], []
    for change in changes:
        backup = apply(change)
        kept = f" (backup: `{shown_path(backup, home)}`)" if backup else ""
        backups += [str(backup)] if backup else []
        lines.append(f"wrote `{shown_path(change.file.path, home)}`{kept}\n")
    login = ["aws", "sso", "login", "--profile", answers.name]
    following = [" ".join(login)] if answers.method == "sso" else []
    if following and is_asked and log_in(login, env):
        following = []
    lines += [f"next: `{command}`\n" for command in following]
    said = {**data, "written": True, "backups": backups, "next": following}
    return Result(text="".join(lines), data=said)


def log_in(login: list[str], env: Mapping[str, str]) -> bool:
    """Run the AWS CLI's login after confirmation; return whether it succeeded."""
    program = shutil.which("aws", path=env.get("PATH"))
    if not program or not confirm(f"run `{' '.join(login)}` now?"):
        return False
    # stdout is the answer of our command
    done = subprocess.run((program, *login[1:]), env=dict(env), stdout=sys.stderr, check=False)
    return done.returncode == 0
