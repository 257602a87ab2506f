"""Every command that a hint, an error or doctor prints can be typed as it is printed."""

from __future__ import annotations

import ast
import shlex

import pytest

from openclaude.commands.profiles.assignments import read_set
from openclaude.commands.registry import NAMES, find_command
from openclaude.commands.runner import command_parser
from openclaude.commands.split import split_arguments
from openclaude.profile.author.parse_value import read_key, read_value
from openclaude.profile.schema import Profile, allowed_keys
from tests.carried_out import CARRIED_OUT, NOT_HERE
from tests.conftest import REPOSITORY
from tests.printed import HOLE, filled, printed_commands
from tests.unit.source import parsed

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


def test_every_printed_command_is_carried_out_by_a_test_that_is_there() -> None:
    printed = {HOLE.sub("{}", one) for one in printed_commands()}
    carried = [one for each in CARRIED_OUT.values() for one in each]

    assert printed - {*carried} - NOT_HERE.keys() == set()
    assert ({*carried} | NOT_HERE.keys()) - printed == set()  # what nobody prints any more
    assert len(carried) == len({*carried} - NOT_HERE.keys())
    assert [one for one in CARRIED_OUT if not is_there(one)] == []


def is_there(test: str) -> bool:
    """Tell whether a test exists, and is not skipped."""
    path, _, name = test.partition("::")
    found = [
        node
        for node in parsed(REPOSITORY / path).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return len(found) == 1 and "skip" not in "".join(map(ast.unparse, found[0].decorator_list))


def test_a_path_in_a_printed_command_is_quoted() -> None:
    others = sorted({*printed_commands()} - {*OURS} - NAMED)

    holes = {hole for one in others for hole in HOLE.findall(one) if "quote(" not in hole}

    assert holes - UNQUOTED == set()


@pytest.mark.parametrize("printed", sorted({*printed_commands()} - {*OURS} - NAMED))
def test_a_printed_command_of_another_program_is_complete(printed: str) -> None:
    assert shlex.split(filled(printed)), printed
