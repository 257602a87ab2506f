"""Help pages: each is complete, and correct about its own parser."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator

import pytest

from openclaude.commands.registry import COMMANDS
from openclaude.commands.runner import command_parser
from tests.conftest import REPOSITORY

SECTIONS = re.compile(
    r"examples:\n(?P<examples>.*?)\n(?:environment variables:\n(?P<variables>.*)\n)?"
    r"documentation: (?P<docs>\S+)",
    re.DOTALL,
)
# these read none
WITHOUT_VARIABLES = {
    "completion",
    *(f"team{one}" for one in ("", " add", " list", " revoke", " limit", " usage")),
}
SOURCES = "".join(path.read_text("utf-8") for path in (REPOSITORY / "openclaude").rglob("*.py"))


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command and every action, with its parser."""
    for command in COMMANDS:
        parser = command_parser(command)[1]
        yield command.name, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from ((f"{command.name} {name}", one) for name, one in action.choices.items())


PARSERS = dict(parsers())


def sections(path: str) -> re.Match[str]:
    """Return the parts of a page after the arguments."""
    found = SECTIONS.fullmatch(PARSERS[path].epilog or "")
    assert found, PARSERS[path].epilog
    return found


@pytest.mark.parametrize("path", PARSERS)
def test_a_page_says_in_whole_sentences_what_the_command_does(path: str) -> None:
    text = PARSERS[path].description or ""

    assert re.match(r"[A-Z].*\.$", text, re.DOTALL)
    assert text.count("`") % 2 == 0


@pytest.mark.parametrize("path", PARSERS)
def test_a_page_has_two_examples_that_its_own_parser_accepts(path: str) -> None:
    examples = sections(path)["examples"].splitlines()

    assert len(examples) >= 2
    for line in examples:
        words = shlex.split(re.split(r" [<>|] ", line)[0])
        name = path.partition(" ")[0]
        command = next(one for one in COMMANDS if one.name == name)
        assert words[: 1 + len(path.split())] == ["openclaude", *path.split()]
        command_parser(command)[1].parse_args(words[2:])


@pytest.mark.parametrize("path", PARSERS)
def test_a_page_names_variables_that_are_read_and_a_page_that_is_there(path: str) -> None:
    found = sections(path)
    names = re.findall(r"\b[A-Z][A-Z_]{4,}\b", found["variables"] or "")

    assert names or path in WITHOUT_VARIABLES
    assert [name for name in names if f'"{name}"' not in SOURCES and "XDG" not in name] == []
    assert (REPOSITORY / found["docs"]).is_file()


@pytest.mark.parametrize("path", PARSERS)
def test_a_page_fits_a_terminal_and_explains_every_argument(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    parser = PARSERS[path]
    width = max(map(len, parser.format_help().splitlines()))

    assert width <= 84
    assert all(
        action.help
        for action in parser._actions
        if not isinstance(action, argparse._SubParsersAction)
    )
