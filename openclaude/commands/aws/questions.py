"""The prompts of `openclaude aws setup`.

Knows: what is asked, in which order, with which default. Independent of: how the answers are used.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping

from openclaude.aws.answers import API_KEY, METHODS, NEEDED, Answers, BadAnswer, check_answer
from openclaude.commands.aws.api_key import KeyChosen
from openclaude.prompt import ask, tell

SAID = {
    "keys": "an access key in ~/.aws/credentials",
    "sso": "IAM Identity Center (SSO), with `aws sso login`",
    "assume-role": "a role, assumed with another AWS profile",
    "process": "a program that prints credentials",
    API_KEY: "a Bedrock API key, without an AWS profile",
}
QUESTIONS = {
    "start_url": "start URL",
    "sso_region": "region of IAM Identity Center",
    "account": "AWS account",
    "source_profile": "AWS profile that may assume it",
    "command": "command",
    "key_id": "access key id",
    "secret": "secret access key",
    "token": "session token, if there is one",
}


def interview(
    named: str | None,
    default: str,
    region: str,
    said: Mapping[str, str],
    names: tuple[str, ...],
    find: Callable[[str], Answers],
) -> Answers:
    """The answers from prompts; values given by flags are not asked for. Writes nothing."""
    tell("Press Enter for the value in [brackets]; Ctrl-C cancels without changes.\n")
    if names and not named:
        tell(f"Existing AWS profiles: {', '.join(names)}. Another name creates a new one.\n")
    name = named or ask_for(
        "name", "name of the AWS profile", default, Answers(name="", method="", region=""), names
    )
    before = find(name)
    if before.method:
        tell(f"`{name}` exists: {SAID[before.method]}\n")
    method = said.get("method") or ask_method(before.method or "sso")
    kept = (
        before
        if before.method == method
        else Answers(name=name, method=method, region=before.region)
    )
    answers = kept._replace(method=method, region=before.region or region)
    for answer in (*NEEDED[method], *(("token",) if method == "keys" else ()), "region"):
        value = said.get(answer) or ask_one(answer, answers, names)
        if answer == "key_id" and value != answers.key_id:
            answers = answers._replace(secret="", token="")  # those were of the old key
        answers = answers._replace(**{answer: value})
    return answers


def ask_method(default: str) -> str:
    """One of the ways to have credentials. Raises KeyChosen."""
    tell("".join(f"  {method:<12} {SAID[method]}\n" for method in (*METHODS, API_KEY)))
    while True:
        answer = ask("where do its credentials come from?", default)
        if answer == API_KEY:
            raise KeyChosen
        if answer in METHODS:
            return answer
        tell(f"error: please answer {', '.join(METHODS)} or {API_KEY}\n")


def ask_one(answer: str, answers: Answers, names: tuple[str, ...]) -> str:
    """Ask for one answer."""
    if answer in ("secret", "token"):
        return ask_secret(answer, answers, names)
    question = QUESTIONS.get(answer, answer)
    if answer == "role":
        question = "role, by its ARN" if answers.method == "assume-role" else "role, by its name"
    default = getattr(answers, answer)
    if answer == "sso_region":
        default = default or answers.region
    return ask_for(answer, question, default, answers, names)


def ask_for(
    answer: str, question: str, default: str, answers: Answers, names: tuple[str, ...]
) -> str:
    """Ask until AWS would accept the answer; the existing value is accepted unchecked."""
    while True:
        value = ask(question, default)
        if value and value == getattr(answers, answer):
            return value
        try:
            check_answer(answer, value, answers, names)
        except BadAnswer as error:
            tell(f"error: {error.message}\n")
        else:
            return value


def ask_secret(answer: str, answers: Answers, names: tuple[str, ...]) -> str:
    """Ask without echo; Enter keeps the existing value.

    Raises KeyboardInterrupt.

    """
    kept = getattr(answers, answer)
    note = " [unchanged]" if kept else ""
    while True:
        try:
            value = getpass.getpass(f"{QUESTIONS[answer]}{note}: ", stream=sys.stderr).strip()
        except EOFError:  # Ctrl-D
            tell("\n")
            raise KeyboardInterrupt from None
        if not value and kept:
            return str(kept)
        try:
            check_answer(answer, value, answers, names)
        except BadAnswer as error:
            tell(f"error: {error.message}\n")
        else:
            return value
