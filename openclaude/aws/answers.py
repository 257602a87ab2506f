"""Answers: what must be known of an AWS profile, from flags, prompts or a file.

Knows: what each kind of credentials needs, what each answer may be. Must not depend on files and
terminals.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

from openclaude.errors import UsageError, nearest

METHODS = ("keys", "sso", "assume-role", "process")
API_KEY = "api-key"  # a Bedrock API key: no AWS profile is made for it
HELP = "see `openclaude aws setup --help`"
HIDDEN = ("secret", "token")  # answers that are never shown


class Answers(NamedTuple):
    """All fields of an AWS profile; those that a method does not use stay empty."""

    name: str
    method: str = ""
    region: str = ""
    start_url: str = ""
    sso_region: str = ""
    account: str = ""
    role: str = ""
    source_profile: str = ""
    command: str = ""
    key_id: str = ""
    secret: str = ""
    token: str = ""


# method -> what it needs
NEEDED = {
    "keys": ("key_id", "secret"),
    "sso": ("start_url", "sso_region", "account", "role"),
    "assume-role": ("role", "source_profile"),
    "process": ("command",),
}


class BadAnswer(UsageError):
    """An answer that AWS would not accept."""

    code = "aws-setup"


START_URL = re.compile(r"https://[A-Za-z0-9.-]+(?:/[A-Za-z0-9/_#.-]*)?")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+=,/-]{0,63}")
ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}")
KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
SECRET = re.compile(r"[A-Za-z0-9/+=]{16,128}")
TOKEN = re.compile(r"[A-Za-z0-9/+=_-]*")


def matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """A check that matches a whole text."""
    return lambda text: pattern.fullmatch(text) is not None


def is_command(text: str) -> bool:
    """Whether a text is a command line of one line."""
    try:
        return text.isprintable() and bool(shlex.split(text))
    except ValueError:
        return False


# answer -> (check, what it is)
RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "name": (
        matches(NAME),
        "may only contain letters, digits and `.`, `_`, `-`, `@`, `+`, `=`, `,`, `/`",
    ),
    "start_url": (matches(START_URL), "must begin with `https://`"),
    "account": (matches(re.compile(r"[0-9]{12}")), "must have 12 digits"),
    "command": (is_command, "must be a program with its arguments, on one line"),
    "key_id": (matches(KEY_ID), "must have 16 or more capital letters and digits"),
    "secret": (matches(SECRET), "must have 16 or more letters, digits and `/`, `+`, `=`"),
    "token": (matches(TOKEN), "may only contain letters, digits and `/`, `+`, `=`"),
}


def check_answer(answer: str, value: str, answers: Answers, names: tuple[str, ...]) -> None:
    """Raise BadAnswer for a value that AWS would not accept; a secret is never repeated."""
    check, rule = rule_of(answer, answers, names)
    if check(value):
        return
    shown = "" if answer in HIDDEN else f", not `{value}`" if value else ""
    near = nearest(value, known_answers(answer, names))
    hint = f"did you mean `{near}`?" if near else HELP
    raise BadAnswer(f"`{label(answer)}` {rule}{shown}", hint=hint)


def known_answers(answer: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The values among which a wrong one was probably meant."""
    if answer in ("region", "sso_region"):
        from openclaude.providers.regions import known_regions

        return tuple(known_regions())
    return names if answer == "source_profile" else ()


def rule_of(
    answer: str, answers: Answers, names: tuple[str, ...]
) -> tuple[Callable[[str], bool], str]:
    """The rule of one answer, which may depend on the others and on the profiles there are."""
    if answer == "name":
        check, rule = RULES["name"]
        return lambda text: text in names or check(text), rule
    if answer == "role":
        if answers.method == "assume-role":
            return matches(ROLE_ARN), "must be the ARN of a role, `arn:aws:iam::ACCOUNT:role/NAME`"
        return matches(ROLE_NAME), "must be the name of a role (a permission set)"
    if answer == "source_profile":
        others = [name for name in names if name != answers.name]
        return lambda text: text in others, f"must be another AWS profile ({', '.join(others)})"
    if answer in ("region", "sso_region"):
        from openclaude.providers.regions import known_regions

        return lambda text: text in known_regions(), "must be an AWS region"
    return RULES[answer]


def label(answer: str) -> str:
    """How messages name an answer: by its flag if it has one."""
    flags = {"start_url": "--sso-start-url", "key_id": "access key id", "secret": "secret key"}
    return flags.get(answer) or ("token" if answer == "token" else f"--{answer}".replace("_", "-"))


def check_answers(answers: Answers, names: tuple[str, ...], before: Answers) -> Answers:
    """Raise BadAnswer for the first answer that is missing or that AWS would not accept.

    What the profile had `before` is accepted unchecked.
    """
    if answers.method not in METHODS:
        for answer in ("name", "region"):  # whatever the method is
            if (value := getattr(answers, answer)) and value != getattr(before, answer):
                check_answer(answer, value, answers, names)
        raise BadAnswer(
            "`--method` is missing", hint=f"choose from {', '.join((*METHODS, API_KEY))}"
        )
    for answer in ("name", "region", *NEEDED[answers.method], "token"):
        value = getattr(answers, answer)
        if not value and answer != "token":
            flag = "--keys-from-stdin" if answer in ("key_id", "secret") else label(answer)
            raise BadAnswer(f"`{flag}` is missing", hint=HELP)
        if value != getattr(before, answer) or answer == "name":
            check_answer(answer, value, answers, names)
    return answers
