"""Options and `--profile` anywhere: what is typed in another order means the same."""

from __future__ import annotations

import argparse
import itertools
import re
import shlex
from collections.abc import Iterator

import pytest

from openclaude.commands.registry import COMMANDS, find_command
from openclaude.commands.runner import Parser, arranged, command_parser, path_of, split
from openclaude.commands.split import split_arguments
from openclaude.errors import UsageError
from tests.unit.commands.test_help_pages import PARSERS, sections


def said(line: str) -> dict[str, object] | str:
    """Return what a command line means, or why it is refused."""
    try:
        found = split_arguments(shlex.split(line))
        parser = command_parser(find_command(found.command))[1]
        return dict(vars(parser.parse_args(found.arguments)))
    except UsageError as error:
        return error.message


def examples() -> Iterator[str]:
    """Every example of every help page that has options."""
    for path in PARSERS:
        for line in sections(path)["examples"].splitlines():
            words = shlex.split(re.split(r" [<>|] ", line.strip())[0])[1:]
            yield shlex.join(words)


EXAMPLES = sorted(set(examples()))
# A profile is not named by an option where its name is what the action is about
ABOUT_NAMES = {f"profiles {one}" for one in ("copy", "diff", "import", "new", "remove", "rename")}
# What has no profile at all
ABOUT_NONE = {
    *("aws", "completion", "demo", "models", "profiles", "profiles list", "team", "uninstall"),
    *(f"team {one}" for one in ("add", "limit", "list", "revoke", "usage")),
}
NEEDED = {
    "serve": "--keys k",
    "export": "systemd",
    "profiles set": "aws.region=x",
    "profiles unset": "aws.region",
    "switch": "haiku=x",
    "completion": "bash",
    **{f"profiles {one}": "a b" for one in ("copy", "diff", "rename")},
    **{f"profiles {one}": "a" for one in ("import", "new", "remove")},
    **{f"team {one}": "ann --keys k" for one in ("add", "limit", "revoke")},
    "team list": "--keys k",
}


@pytest.mark.parametrize("path", PARSERS)
def test_a_profile_is_named_before_a_command_and_behind_it_alike(path: str) -> None:
    more = NEEDED.get(path, "")
    forms = [
        f"--profile x {path} {more}",
        f"--profile=x {path} {more}",
        f"{path} --profile x {more}",
        f"{path} {more} --profile x",
    ]
    command, _, action = path.partition(" ")
    if action:
        forms.append(f"{command} --profile x {action} {more}")

    meant = {line: said(line) for line in forms}

    first = meant[forms[0]]
    assert all(one == first for one in meant.values()), meant
    if path in ABOUT_NAMES | ABOUT_NONE:
        assert first in ("unknown option: --profile", "missing: ACTION")
    else:
        assert isinstance(first, dict), first
        assert first["profile"] == "x"


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_means_the_same_in_every_order(line: str) -> None:
    words = shlex.split(line)
    path = words[:2] if " ".join(words[:2]) in PARSERS else words[:1]
    parser = PARSERS[" ".join(path)]
    options, rest = split(words[len(path) :], [parser])
    parts = [*options, *((one,) for one in rest)]

    for order in itertools.islice(itertools.permutations(parts), 24):
        names = [one for one in order if not one[0].startswith("-")]
        if names != [(one,) for one in rest]:
            continue  # words keep their order
        flat = [word for part in order for word in part]
        assert said(shlex.join([*path, *flat])) == said(line), flat


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("export systemd --out d qwen", {"manager": "systemd", "profile": "qwen"}),
        ("export --out d systemd qwen", {"manager": "systemd", "profile": "qwen"}),
        ("--profile x aws setup", {"action": "setup", "profile": "x"}),
        ("aws --profile setup policy", {"action": "policy", "profile": "setup"}),
        ("--profile x aws --json policy", {"action": "policy", "profile": "x", "json": True}),
        ("aws policy --format json x", {"format": "json", "profile": "x"}),
        ("--profile x profiles show", {"action": "show", "profile": "x"}),
        ("--profile x profiles use", {"action": "use", "profile": "x"}),
        ("profiles remove --yes x", {"name": "x", "yes": True}),
        ("profiles new --from base x", {"parent": "base", "name": "x"}),
        ("logs --lines 5 x main", {"first": "x", "unit": "main"}),
        ("requests show -- 5", {"what": "show"}),
        ("status -- x", {"profile": "x"}),
    ],
)
def test_a_line_means(line: str, values: dict[str, object]) -> None:
    found = said(line)

    assert isinstance(found, dict), found
    assert {name: found.get(name) for name in values} == values


@pytest.mark.parametrize(
    ("line", "arranged_as"),
    [
        ("setup --help", "setup --help"),
        ("--help setup", "--help setup"),
        ("--profile x setup --help", "setup --profile x --help"),
        ("--json setup --json", "--json setup --json"),
        ("--profile setup setup -h --name setup", "setup --profile setup -h --name setup"),
        ("policy x --help --format json", "policy --help --format json x"),
    ],
)
def test_what_stands_behind_an_action_is_the_actions(line: str, arranged_as: str) -> None:
    parser = command_parser(find_command("aws"))[1]

    assert arranged(parser, line.split()) == arranged_as.split()


@pytest.mark.parametrize("path", [path for path in PARSERS if " " in path])
def test_an_actions_help_is_its_own(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        said(f"--profile x {path} --help")

    assert capsys.readouterr().out.startswith(f"usage: openclaude {path} ")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--profile x profiles list", "unknown option: --profile"),
        ("--profile x aws", "unknown option: --profile"),
        ("aws --nonsense setup", "unknown option: --nonsense"),
        ("export systemd --out", "`--out` needs a value"),
        ("export systemd qwen other", "unexpected argument: other"),
        ("status x --profile y", "two profiles are named: `x` and `y`"),
        ("aws nonsense", "unknown action `nonsense` (choose from policy, setup)"),
        ("status --json=yes", "`--json` takes no value"),
    ],
)
def test_a_mistake_is_still_one(line: str, message: str) -> None:
    assert said(line) == message


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("--profile x aws policy --json", ("aws", "policy")),
        ("aws --json --profile setup policy", ("aws", "policy")),
        ("profiles --json", ("profiles",)),
        ("profiles --json list", ("profiles", "list")),
        ("status --json x", ("status",)),
        ("--version --json", ("--version",)),
    ],
)
def test_an_envelope_names_its_action(line: str, path: tuple[str, ...]) -> None:
    found = split_arguments(shlex.split(line))

    assert path_of(found.command, found.arguments) == path


def test_a_number_a_dash_and_what_follows_two_are_words() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("words", nargs="*")

    line = ["a", "--count", "-3", "-", "-v", "-5", "--", "-v", "b"]

    expected = ["--count", "-3", "-v", "a", "-", "-5", "--", "-v", "b"]
    assert arranged(parser, line) == expected
    assert arranged(Parser(), []) == []
    assert {command.name for command in COMMANDS} >= {"export", "aws"}
