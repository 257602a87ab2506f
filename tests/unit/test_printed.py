"""Every command that a hint, an error or doctor prints can be typed as it is printed."""

from __future__ import annotations

import shlex

import pytest

from openclaude.commands.profiles.assignments import read_set
from openclaude.commands.registry import NAMES, find_command
from openclaude.commands.runner import command_parser
from openclaude.commands.split import split_arguments
from openclaude.profile.author.parse_value import read_key, read_value
from openclaude.profile.schema import Profile, allowed_keys
from tests.printed import HOLE, printed_commands

# what is filled in, where any word would not do
FILLED = {
    "{dotted(key)}": "listen.port",
    "{example}": "4000",
    "{key_of(state.budget)}": "budget.day",
    "{state.budget.dollars}": "5.00",
    "{option}": "--today",
    "{' '.join(arguments)}": "profiles list",
    "{EPHEMERAL}": "--ephemeral",
    "{meant}": "status",
    "{first}": "status",
    "{rest[0]}": "statsu",
    "{'managed-settings'}": "managed-settings",
}
# words in capitals, of a person's own
OWN = {
    **{"DOLLARS": "5.00", "PORT": "4100", "MODEL": "claude", "REGION": "us-west-2"},
    **{"KEY=": "tiers.haiku.api_key=", "https://HOST": "https://example.com", "PATH": "/x"},
    **{"NAME": "mine", "COMMAND": "status", "TIER": "haiku", "WORD": "word"},
}
# filled into commands of other programs: names and numbers, and what was quoted before
UNQUOTED = {
    *("{name}", "{variable}", "{BASE_URL}", "{stronger}"),  # of a variable
    *("{record.pid}", "{pids.replace(' ', '')}", "{min(most, 4096) if most > 0 else 4096}"),
    *("{slot.tier}", "{trial.claude}"),
    *("{folder}", "{where}"),
}
# sentences about a command, which say how to go on in another one
NAMED = {"openclaude profiles import"}
OURS = sorted({one for one in printed_commands() if one.startswith("openclaude ")} - NAMED)


def filled(command: str) -> str:
    """Return a printed command as a person types it."""
    for hole in HOLE.findall(command):
        command = command.replace(hole, FILLED.get(hole, "qwen"))
    for word, own in OWN.items():
        command = command.replace(word, own)
    return command


def test_the_collector_finds_what_is_known_to_be_printed() -> None:
    assert len(OURS) > 60
    assert "openclaude profiles set {plan.profile} listen.port=PORT" in OURS
    assert "chmod 600 {quote(path)}" in printed_commands()


@pytest.mark.parametrize("printed", OURS)
def test_a_printed_command_of_ours_is_one(printed: str) -> None:
    command = filled(printed)
    words = shlex.split(command)[1:]

    split = split_arguments(words)

    assert "{" not in command
    if not split.command:
        assert split.is_verbatim or split.profile or words[0].startswith("-"), printed
        return
    if split.command not in NAMES or "--help" in words:
        return
    module, parser = command_parser(find_command(split.command))
    said = parser.parse_args(split.arguments)
    assert module
    if split.arguments[:1] == ("set",):
        _, assignments = read_set(said.words, allowed_keys(()))
        for key_text, value_text in assignments:
            key = read_key(key_text)
            assert read_value(key, value_text) is not None
            assert key[0] in Profile.model_fields


def test_a_path_in_a_printed_command_is_quoted() -> None:
    others = sorted({*printed_commands()} - {*OURS} - NAMED)

    holes = {hole for one in others for hole in HOLE.findall(one) if "quote(" not in hole}

    assert holes - UNQUOTED == set()


@pytest.mark.parametrize("printed", sorted({*printed_commands()} - {*OURS} - NAMED))
def test_a_printed_command_of_another_program_is_complete(printed: str) -> None:
    assert shlex.split(filled(printed)), printed
