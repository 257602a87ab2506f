"""`openclaude profiles new` and `copy`: a further profile, valid before it is written."""

from __future__ import annotations

import stat

import pytest

from openclaude.commands.profiles.store import ProfileExists
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.names import BadProfileName, UnknownProfile
from tests.unit.commands.profiles.shelf import CODER, QWEN, Shelf, shelf

__all__ = ["shelf"]
TEMPLATE = """\
# mine: the models behind claude's tiers. To see every value and its origin:
#   openclaude profiles show mine
schema = 1
# description = "one line for `openclaude profiles list`"
extends = "base"   # what is not set here comes from this profile

# The model for each of claude's tiers: opus, sonnet, haiku, fable.
# A model is PROVIDER/ID, or "claude" for your own plan.
[tiers]
# haiku = "bedrock/qwen.qwen3-next-80b-a3b"

# For tiers on AWS Bedrock: the profile in ~/.aws/config, and the region.
[aws]
# profile = "openclaude"
# region = "us-west-2"
"""
FILLED = (
    TEMPLATE.replace('# description = "one line for `openclaude profiles list`"', "DESCRIPTION")
    .replace('# haiku = "bedrock/qwen.qwen3-next-80b-a3b"', f'opus = "claude"\nhaiku = "{CODER}"')
    .replace('# profile = "openclaude"', 'profile = "me"')
    .replace('# region = "us-west-2"', 'region = "us-east-1"')
)


def test_without_flags_a_template_that_changes_nothing_is_written(shelf: Shelf) -> None:
    result = shelf.run("new", "mine")

    path = shelf.folder / "mine.toml"
    assert result.text == (
        f"wrote `{path}`, which extends `base`\nuse it: `openclaude --profile mine`\n"
    )
    assert result.data == {"name": "mine", "path": str(path)}
    assert shelf.text("mine") == TEMPLATE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert shelf.run("diff", "mine", "base").exit_code == 0


def test_the_flags_say_what_the_profile_says(shelf: Shelf) -> None:
    shelf.run(
        *("new", "mine", "--tier", f"haiku={CODER}", "--tier", "opus=claude"),
        *("--aws-profile", "me", "--region", "us-east-1", "--description", 'A "good" one'),
    )

    assert shelf.text("mine") == FILLED.replace("DESCRIPTION", r'description = "A \"good\" one"')


def test_the_parent_can_be_chosen(shelf: Shelf) -> None:
    shelf.run("new", "mine", "--from", "qwen")

    assert 'extends = "qwen"' in shelf.text("mine")
    assert shelf.run("diff", "mine", "qwen").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "failure", "message"),
    [
        (("qwen",), ProfileExists, "a profile named `qwen` already exists: {shipped}/qwen.toml"),
        (("old",), ProfileExists, "a profile named `old` already exists: {user}/old.toml"),
        (("../x",), BadProfileName, "`../x` cannot be a profile name"),
        (("mine", "--from", "qwem"), UnknownProfile, "no profile named `qwem`"),
        (("mine", "--from", "../x"), BadProfileName, "`../x` cannot be a profile name"),
        (("mine", "--tier", "haiku"), UsageError, "`--tier` takes TIER=MODEL, not `haiku`"),
        (("mine", "--tier", "haiku="), UsageError, "`--tier` takes TIER=MODEL, not `haiku=`"),
        (("mine", "--tier", "haikou=x"), UsageError, "no tier named `haikou`"),
        (("mine", "--tier", f"haiku={CODER}"), ProfileMistakes, "the profile has 2 mistakes"),
        (
            ("mine", "--tier", "haiku=bedrock/nope", "--aws-profile", "p", "--region", "us-west-2"),
            ProfileMistakes,
            "{user}/mine.toml:10: tiers.haiku.model: no chat model named",
        ),
        (("mine", "--description", "a\nb"), ProfileMistakes, "printable"),
    ],
)
def test_what_would_be_wrong_is_exit_2_and_writes_nothing(
    shelf: Shelf, arguments: tuple[str, ...], failure: type[OpenclaudeError], message: str
) -> None:
    shelf.put("old", QWEN)

    with pytest.raises(failure) as caught:
        shelf.run("new", *arguments)

    wanted = message.format(user=shelf.folder, shipped=shelf.places.shipped)
    assert wanted in caught.value.message
    assert caught.value.exit_code == 2
    assert shelf.names() == ["old.toml"]


def test_a_person_is_asked_and_enter_takes_the_default(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.answer("", "", "", "", "", "")

    shelf.run("new", "mine")

    assert shelf.text("mine") == TEMPLATE
    assert capsys.readouterr().err == (
        "A new profile, `mine`. Press Enter for the value in [brackets]; Ctrl-C cancels without "
        "changes.\n"
        "start from which profile? (base, qwen) [base]: model for opus [claude]: "
        "model for sonnet [claude]: model for haiku [claude]: model for fable [claude]: "
        "description, one line: "
    )


def test_a_wrong_answer_is_explained_and_asked_again(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.answer(
        *("bas", "base", "claude", "", "bedrock/qwen.qwen3-coder-nex", CODER, ""),
        *("me", "us-east-1", "mine"),
    )

    shelf.run("new", "mine")

    assert shelf.text("mine") == FILLED.replace("DESCRIPTION", 'description = "mine"').replace(
        'opus = "claude"\n', ""
    )
    asked = capsys.readouterr().err
    assert "error: no profile named `bas`\n" in asked
    assert "error: tiers.haiku.model: no chat model named" in asked
    assert "aws.profile (for Bedrock) [openclaude]: aws.region (for Bedrock) [us-west-2]" in asked


@pytest.mark.parametrize("answers", [(), ("base",), ("base", "", "", "", "")])
def test_a_person_who_stops_answering_has_written_nothing(
    shelf: Shelf, answers: tuple[str, ...]
) -> None:
    shelf.answer(*answers)

    with pytest.raises(KeyboardInterrupt):
        shelf.run("new", "mine")

    assert not (shelf.folder / "mine.toml").exists()


def test_flags_ask_nothing_even_where_somebody_could_answer(shelf: Shelf) -> None:
    shelf.answer()

    shelf.run("new", "mine", "--from", "base")

    assert shelf.text("mine") == TEMPLATE


# --- copy


@pytest.mark.parametrize("text", [QWEN, QWEN.replace("\n", "\r\n"), "\ufeff" + QWEN[:-1]])
def test_a_copy_is_the_same_text(shelf: Shelf, text: str) -> None:
    shelf.put("old", text)

    result = shelf.run("copy", "old", "mine")

    assert shelf.text("mine") == text
    assert result.data == {"name": "mine", "path": str(shelf.folder / "mine.toml")}


def test_a_shipped_profile_can_be_copied(shelf: Shelf) -> None:
    shelf.run("copy", "qwen", "mine")

    assert shelf.text("mine") == QWEN


@pytest.mark.parametrize(
    ("names", "failure"),
    [
        (("nope", "mine"), UnknownProfile),
        (("qwen", "base"), ProfileExists),
        (("qwen", "old"), ProfileExists),
        (("qwen", "A"), BadProfileName),
    ],
)
def test_a_copy_that_cannot_be_made_is_exit_2_and_writes_nothing(
    shelf: Shelf, names: tuple[str, str], failure: type[OpenclaudeError]
) -> None:
    shelf.put("old", "schema = 1\n")

    with pytest.raises(failure) as caught:
        shelf.run("copy", *names)

    assert caught.value.exit_code == 2
    assert (shelf.names(), shelf.text("old")) == (["old.toml"], "schema = 1\n")
