"""Whose command line it is: a table, a line each."""

from __future__ import annotations

import pytest

from openclaude.commands.registry import NAMES
from openclaude.commands.split import CLAUDES, EXPECTED, Split, edits, split_arguments
from openclaude.errors import UsageError

# what is typed (a `|` between arguments) -> the command, its arguments; a launch has no command
OURS = [
    ("status", "status", ""),
    ("status|--json", "status", "--json"),
    ("--profile|x|status", "status", "--profile|x"),
    ("--profile=x|status|--json", "status", "--profile|x|--json"),
    ("status|--profile|x", "status", "--profile|x"),
    ("--profile|x|stop", "stop", "--profile|x"),
    ("--profile|x|logs|-f", "logs", "--profile|x|-f"),
    ("--profile|x|doctor", "doctor", "--profile|x"),
    ("--profile|x|profiles|list", "profiles", "--profile|x|list"),
    ("stop|it|now", "stop", "it|now"),
    ("logs|--|x", "logs", "--|x"),
    ("help", "--help", ""),
    ("help|status", "status", "--help"),
    ("help|aws|setup", "aws", "setup|--help"),
    ("help|profiles|set|--x", "profiles", "set|--help"),
    ("help|nonsense", "--help", "nonsense"),
    ("--profile|x|help", "--help", ""),
    ("-h", "--help", ""),
    ("--help", "--help", ""),
    ("version", "--version", ""),
    ("-V", "--version", ""),
    ("--version|--json", "--version", "--json"),
    ("--profile|x|--version", "--version", ""),
    ("completion|zsh", "completion", "zsh"),
    *((name, name, "") for name in NAMES),
]
CLAUDE = [
    ("", "", None),
    ("-p|stop it", "-p|stop it", None),
    ("-p|stop", "-p|stop", None),
    ("-p|statsu", "-p|statsu", None),
    ("--print|status", "--print|status", None),
    ("fix the bug", "fix the bug", None),
    ("stop it", "stop it", None),
    ("statsu please", "statsu please", None),
    ("status?", "status?", None),
    ("explain", "explain", None),
    ("hello", "hello", None),
    ("hi", "hi", None),
    ("continue", "continue", None),
    ("/status", "/status", None),
    ("/model|opus", "/model|opus", None),
    ("!ls", "!ls", None),
    ("über", "über", None),
    ("résumé", "résumé", None),
    ("statsu2", "statsu2", None),
    ("42", "42", None),
    ("|x", "|x", None),
    (" ", " ", None),
    ("statsu|fix the bug", "statsu|fix the bug", None),
    ("-c", "-c", None),
    ("--continue|status", "--continue|status", None),
    ("--resume|start", "--resume|start", None),
    ("--model|haiku|start", "--model|haiku|start", None),
    ("-v", "-v", None),
    ("--verbose", "--verbose", None),
    ("--|statsu", "statsu", None),
    ("--|doctor", "doctor", None),
    ("--|--help", "--help", None),
    ("--|--|x", "--|x", None),
    ("--profile|x", "", "x"),
    ("--profile=x", "", "x"),
    ("--profile|x|-p|hi", "-p|hi", "x"),
    ("--profile|x|--|status", "status", "x"),
    ("--profile|x|fix it", "fix it", "x"),
    ("--profile=x|--profile=y", "--profile=y", "x"),
    ("-p|--profile|x", "-p|--profile|x", None),
    ("mcp|list", "mcp|list", None),
    ("update", "update", None),
    ("plugin|install|x", "plugin|install|x", None),
    *((word, word, None) for word in sorted(CLAUDES - {*NAMES})),
]
MISTAKES = [
    ("statsu", "status"),
    ("stauts", "status"),
    ("staus", "status"),
    ("STATUS", "status"),
    ("stat", "start"),
    ("statuses", "status"),
    ("strat", "start"),
    ("stopp", "stop"),
    ("sotp", "stop"),
    ("restrat", "restart"),
    ("profile", "profiles"),
    ("profiels", "profiles"),
    ("porfiles|list", "profiles"),
    ("profile|show|qwen", "profiles"),
    ("log", "logs"),
    ("lgos|-f", "logs"),
    ("docter", "doctor"),
    ("model", "models"),
    ("modles|--json", "models"),
    ("setpu", "setup"),
    ("dmeo", "demo"),
    ("compil", "compile"),
    ("aws-", "aws"),
    ("uninstal", "uninstall"),
    ("hlep", "help"),
    ("versoin", "version"),
    ("completions", "completion"),
    ("list", "profiles list"),
    ("config", "profiles edit"),
    ("login", "setup"),
    ("--profile|x|statsu", "status"),
]


def arguments_of(line: str) -> tuple[str, ...]:
    """The arguments of a line of the table."""
    return tuple(line.split("|")) if line else ()


@pytest.mark.parametrize(("line", "command", "rest"), OURS)
def test_a_command_of_ours_is_found(line: str, command: str, rest: str) -> None:
    assert split_arguments(arguments_of(line)) == Split(command, arguments_of(rest))


@pytest.mark.parametrize(("line", "rest", "profile"), CLAUDE)
def test_what_may_be_claudes_reaches_it_untouched(
    line: str, rest: str, profile: str | None
) -> None:
    is_verbatim = "--" in line.split("|")

    found = split_arguments(arguments_of(line))

    assert found == Split("", arguments_of(rest), profile, is_verbatim)


@pytest.mark.parametrize(("line", "meant"), MISTAKES)
def test_a_mistyped_command_becomes_no_prompt(line: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        split_arguments(arguments_of(line))

    word = arguments_of(line)[-1] if line.startswith("--profile") else arguments_of(line)[0]
    assert f"`{word}` is not a command of openclaude" in str(caught.value)
    assert f"did you mean `openclaude {meant}`?" in str(caught.value)
    assert caught.value.hint == f"`openclaude -- {word}` sends it to claude as a prompt"


def test_the_hint_of_a_mistake_does_what_it_says() -> None:
    assert split_arguments(("--", "statsu")) == Split("", ("statsu",), is_verbatim=True)


@pytest.mark.parametrize("word", EXPECTED)
def test_what_others_call_it_is_a_command_of_ours(word: str) -> None:
    assert word not in CLAUDES
    assert EXPECTED[word].partition(" ")[0] in NAMES


@pytest.mark.parametrize("line", ["--profile", "--profile=", "--profile|-p", "--profile||x"])
def test_a_profile_needs_a_name(line: str) -> None:
    with pytest.raises(UsageError, match="needs a name"):
        split_arguments(arguments_of(line))


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("statsu", "status", 1), ("abc", "ca", 3)],
)
def test_edits_are_counted(one: str, other: str, count: int) -> None:
    assert edits(one, other) == edits(other, one) == count


@pytest.mark.parametrize(
    ("line", "is_update"), [("update", True), ("upgrade|x", True), ("-p|update", False)]
)
def test_claudes_own_update_is_known(line: str, is_update: bool) -> None:
    assert split_arguments(arguments_of(line)).updates_claude is is_update


@pytest.mark.parametrize(
    ("line", "rest", "profile"),
    [
        ("--ephemeral|-p|hi", "-p|hi", None),
        ("--ephemeral|--profile|x|-p|hi", "-p|hi", "x"),
        ("--profile|x|--ephemeral|-p|hi", "-p|hi", "x"),
        ("--ephemeral|--|status", "status", None),
        ("--ephemeral", "", None),
    ],
)
def test_a_launch_may_be_ephemeral(line: str, rest: str, profile: str | None) -> None:
    split = split_arguments(arguments_of(line))

    assert split.is_ephemeral
    assert (split.command, split.arguments, split.profile) == ("", arguments_of(rest), profile)


def test_the_word_behind_claudes_arguments_is_claudes_and_no_command_takes_it() -> None:
    assert not split_arguments(("-p", "--ephemeral")).is_ephemeral
    with pytest.raises(UsageError, match="is for a launch, not for `status`"):
        split_arguments(("--ephemeral", "status"))
