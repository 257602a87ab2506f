"""`openclaude profiles set` and `unset`: one key, validated before it is saved."""

from __future__ import annotations

import json
import stat

import pytest

from openclaude.errors import OpenclaudeError, UsageError
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.names import BadProfileName, UnknownProfile
from tests.unit.commands.profiles.shelf import BASE, CODER, QWEN, Shelf, shelf, written

__all__ = ["shelf"]
MINE = 'schema = 1\nextends = "qwen"  # parent\n'


def test_a_key_of_the_parent_is_written_to_the_child(shelf: Shelf) -> None:
    path = shelf.put("mine", MINE)

    result = shelf.run("set", "aws.region", "eu-west-1", "--profile", "mine")

    assert result.text == f"set `aws.region` in `{path}`\n"
    assert result.data == {
        "name": "mine",
        "path": str(path),
        "key": "aws.region",
        "keys": ["aws.region"],
        "changed": True,
        "notes": [],
    }
    assert shelf.text("mine") == MINE + '\n[aws]\nregion = "eu-west-1"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_name_the_default_profile_is_meant_and_a_shipped_one_is_copied(
    shelf: Shelf,
) -> None:
    result = shelf.run("set", "listen.port", "4010")

    path = shelf.folder / "qwen.toml"
    assert result.text == (
        f"set `listen.port` in `{path}`\n"
        f"note: `{path}` is a copy of the built-in `qwen`, and is used instead of it\n"
    )
    assert shelf.text("qwen") == QWEN + "\n[listen]\nport = 4010\n"
    assert (shelf.places.shipped / "qwen.toml").read_text() == QWEN


def test_a_tiers_new_model_leaves_the_rest_and_says_so(shelf: Shelf) -> None:
    shelf.put("mine", QWEN)

    result = shelf.run("set", "tiers.haiku", CODER, "--profile", "mine")

    assert shelf.text("mine") == QWEN.replace("bedrock/qwen.qwen3-next-80b-a3b", CODER)
    assert result.data["notes"] == [
        "`tiers.haiku` still has values for the old model, update or unset them: `label`"
    ]


def test_the_old_model_may_be_the_parents(shelf: Shelf) -> None:
    shelf.put("mine", MINE + 'tiers.haiku.label = "Mine"\n')

    result = shelf.run("set", "tiers.haiku", CODER, "--profile", "mine")

    assert result.data["notes"] == [
        "`tiers.haiku` still has values for the old model, update or unset them: `label`"
    ]


def test_a_tier_that_is_replaced_as_a_whole_keeps_nothing(shelf: Shelf) -> None:
    shelf.put("mine", QWEN)
    tier = f'{{ model = "{CODER}", max_output_tokens = 100 }}'

    result = shelf.run("set", "tiers.haiku", tier, "--profile", "mine")

    assert result.data["notes"] == []
    assert shelf.text("mine").endswith(f"\n[tiers]\nhaiku = {tier}\n")


def test_several_keys_are_judged_together(shelf: Shelf) -> None:
    path = shelf.put("mine", 'schema = 1\nextends = "base"\n')

    # the tier needs the two others, and comes first
    done = shelf.run(
        "set", "mine", f"tiers.haiku={CODER}", "aws.profile=work", "aws.region=us-west-2"
    )

    assert done.text == f"set `tiers.haiku`, `aws.profile`, `aws.region` in `{path}`\n"
    assert done.data["keys"] == ["tiers.haiku", "aws.profile", "aws.region"]
    assert shelf.run("unset", "mine", "tiers.haiku", "aws.profile").data["changed"] is True
    assert "haiku" not in shelf.text("mine")


def test_one_wrong_key_of_several_changes_nothing(shelf: Shelf) -> None:
    shelf.put("mine", MINE)

    with pytest.raises(ProfileMistakes):
        shelf.run("set", "mine", "aws.region=eu-west-1", "listen.port=80")
    with pytest.raises(OpenclaudeError, match=r"`listen\.port` is not set in `mine`"):
        shelf.run("unset", "mine", "extends", "listen.port")

    assert shelf.text("mine") == MINE


def test_what_is_said_already_changes_nothing(shelf: Shelf) -> None:
    path = shelf.put("mine", QWEN)
    before = written(path)

    result = shelf.run("set", "aws.region", "us-west-2", "--profile", "mine")

    assert result.text == "nothing changed\n"
    assert result.data["changed"] is False
    assert written(path) == before


@pytest.mark.parametrize(
    ("arguments", "failure", "message", "hint"),
    [
        (
            ("tiers.haiku", "bedrock/qwen.qwen3-coder-nex"),
            ProfileMistakes,
            "tiers.haiku.model: no chat model named",
            "did you mean `bedrock/qwen.qwen3-coder-next`",
        ),
        (
            ("aws.region", "us-west-22"),
            ProfileMistakes,
            'aws.region: no AWS region named "us-west-22"',
            "did you mean `us-west-2`?",
        ),
        (("listen.port", "80"), ProfileMistakes, "listen.port: must be a port from 1024", ""),
        (("listen.port", "'80'"), ProfileMistakes, "must be a whole number, not text", ""),
        (
            ("listen.port", "many"),
            UsageError,
            "`listen.port` must be a whole number",
            "for example `openclaude profiles set NAME listen.port='4000'`",
        ),
        (("tiers.haiku.fallbacks", "x"), UsageError, "must be an array", '["bedrock/'),
        (("tiers.sonet", "x"), UsageError, "no profile has the key `tiers.sonet`", "`sonnet`"),
        (("aws.regio", "x"), UsageError, "no profile has the key `aws.regio`", "`region`"),
        (("haiku", "x"), UsageError, "no profile has the key `haiku`", "`tiers.haiku`"),
        (("aws.region.x", "1"), UsageError, "`aws.region.x`", "has no keys of its own"),
        (("a..b", "x"), UsageError, "`a..b` is not a key", "for example"),
        (("aws.profile", "\udcff"), UsageError, "is not UTF-8", ""),
        (("description", "\x1b[31m"), ProfileMistakes, "printable", ""),
        (("extends", "nope"), ProfileMistakes, "no profile named `nope`", ""),
        (("aws.region", "x", "--profile", "nope"), UnknownProfile, "`nope`", ""),
        (("aws.region", "x", "--profile", "../x"), BadProfileName, "../x", ""),
        (("aws.region", "x", "--profile", ""), BadProfileName, "``", ""),
    ],
)
def test_what_would_be_wrong_is_exit_2_and_changes_nothing(
    shelf: Shelf,
    arguments: tuple[str, ...],
    failure: type[OpenclaudeError],
    message: str,
    hint: str,
) -> None:
    shelf.put("mine", QWEN)
    given = arguments if "--profile" in arguments else (*arguments, "--profile", "mine")

    with pytest.raises(failure) as caught:
        shelf.run("set", *given)

    assert caught.value.exit_code == 2
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert (shelf.names(), shelf.text("mine")) == (["mine.toml"], QWEN)


@pytest.mark.parametrize("text", [QWEN.replace("\n", "\r\n"), "\ufeff" + QWEN, QWEN[:-1]])
def test_what_a_persons_editor_made_of_the_file_stays(shelf: Shelf, text: str) -> None:
    shelf.put("mine", text)

    shelf.run("set", "aws.region", "eu-west-1", "--profile", "mine")

    assert shelf.text("mine") == text.replace("us-west-2", "eu-west-1")


def test_a_link_is_written_through(shelf: Shelf) -> None:
    target = shelf.places.home / "dotfiles" / "mine.toml"
    target.parent.mkdir()
    target.write_text(QWEN)
    (shelf.folder / "mine.toml").symlink_to(target)

    shelf.run("set", "aws.region", "eu-west-1", "--profile", "mine")

    assert (shelf.folder / "mine.toml").is_symlink()
    assert target.read_text() == QWEN.replace("us-west-2", "eu-west-1")


def test_a_variable_does_not_hide_a_mistake_in_what_is_written(shelf: Shelf) -> None:
    shelf.put("mine", QWEN)
    shelf.env = {"OPENCLAUDE_AWS_REGION": "us-east-1"}

    with pytest.raises(ProfileMistakes, match="no AWS region"):
        shelf.run("set", "aws.region", "nowhere-9", "--profile", "mine")
    result = shelf.run("set", "aws.region", "eu-west-1", "--profile", "mine")

    assert result.data["notes"] == ["OPENCLAUDE_AWS_REGION is set, and overrides the profile"]


def test_a_child_that_the_change_breaks_is_named(shelf: Shelf) -> None:
    shelf.put("parent", QWEN)
    shelf.put("child", 'schema = 1\nextends = "parent"\n[tiers.haiku]\nmax_output_tokens = 5\n')

    result = shelf.run("set", "tiers", "{ opus = 'claude' }", "--profile", "parent")

    assert result.data["notes"] == [
        "`child` extends it and has mistakes: `openclaude profiles validate child`"
    ]


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        (("tiers.sonnet", CODER), f'\n[tiers.sonnet]\nmodel = "{CODER}"\n'),
        (("tiers.haiku.vision", "true"), "vision = true\n"),
        (("tiers.haiku.max_output_tokens", "100"), "max_output_tokens = 100\n"),
        (("stack.linger", "1h"), '\n[stack]\nlinger = "1h"\n'),
        (("agents.explore", "haiku"), '\n[agents]\nexplore = "haiku"\n'),
        (("description", "2 words"), 'description = "2 words"\n'),
        (("tiers.haiku.label", '"quoted"'), r'label = "\"quoted\""' + "\n"),
    ],
)
def test_each_type_of_value_is_written_as_its_key_wants_it(
    shelf: Shelf, arguments: tuple[str, str], added: str
) -> None:
    shelf.put("mine", QWEN)

    shelf.run("set", *arguments, "--profile", "mine")

    assert added in shelf.text("mine")


# --- unset


def test_a_removed_key_is_the_parents_again(shelf: Shelf) -> None:
    path = shelf.put("mine", MINE + '\n[aws]\nregion = "eu-west-1"\n')

    result = shelf.run("unset", "aws.region", "--profile", "mine")

    assert result.text == f"removed `aws.region` in `{path}`\n"
    assert shelf.text("mine") == MINE


def test_an_unknown_key_can_be_removed(shelf: Shelf) -> None:
    shelf.put("mine", QWEN + "[tirs]\nx = 1\n")

    shelf.run("unset", "tirs", "--profile", "mine")

    assert shelf.text("mine") == QWEN


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("aws.region", "it comes from {shipped}/qwen.toml:11"),
        ("tiers.haiku", "it comes from {shipped}/qwen.toml:6"),
        ("listen.port", "see what is set: `openclaude profiles show mine`"),
        ("tirs", "see what is set: `openclaude profiles show mine`"),
    ],
)
def test_a_key_that_is_not_written_cannot_be_removed(shelf: Shelf, key: str, hint: str) -> None:
    shelf.put("mine", MINE)

    with pytest.raises(OpenclaudeError) as caught:
        shelf.run("unset", key, "--profile", "mine")

    assert caught.value.exit_code == 1
    assert caught.value.message == f"`{key}` is not set in `mine`"
    assert caught.value.hint == hint.format(shipped=shelf.places.shipped)


def test_removing_what_is_needed_is_exit_2_and_changes_nothing(shelf: Shelf) -> None:
    shelf.put("mine", QWEN)

    with pytest.raises(ProfileMistakes, match="is missing; it is needed for `haiku` on Bedrock"):
        shelf.run("unset", "aws.profile", "--profile", "mine")

    assert shelf.text("mine") == QWEN


def test_a_file_that_is_no_toml_is_reported_and_left_alone(shelf: Shelf) -> None:
    path = shelf.put("mine", "schema = 1\nmodel = \n")

    with pytest.raises(ProfileMistakes) as caught:
        shelf.run("set", "aws.region", "us-west-2", "--profile", "mine")

    assert caught.value.message.startswith(f"{path}:2:")


def test_a_shipped_profile_of_the_parents_name_is_not_touched(shelf: Shelf) -> None:
    shelf.run("set", "listen.port", "4100", "--profile", "base")

    assert shelf.names() == ["base.toml"]
    assert shelf.text("base") == BASE + "\n[listen]\nport = 4100\n"


LAYOUTS = {
    "long": QWEN + '\n[tiers.sonnet]\nmodel = "claude-opus-5-5"\n[listen]\nstrict = true\n',
    "short": f'schema = 1\ntiers = {{ haiku = "{CODER}" }}\naws.profile = "p"\n'
    'aws.region = "us-west-2"\n[agents]\nexplore = "haiku"\n',
    "dotted": f'schema = 1\ntiers.haiku.model = "{CODER}"\ntiers.haiku.max_output_tokens = 9\n'
    "tiers.haiku.params.top_k = 0.5\ntiers.haiku.params.stop = ['a']\n"
    'aws = { profile = "p", region = "us-west-2" }\nlisten.port = 4100\n',
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_setting_what_show_shows_changes_nothing(shelf: Shelf, layout: str) -> None:
    shelf.put("mine", LAYOUTS[layout])
    shown = json.loads(json.dumps(shelf.run("show", "mine").data))
    written = [key for key, origin in shown["origins"].items() if origin["kind"] == "profile"]

    for key in written:
        value = shown["values"]
        for part in key.split("."):
            value = value[part]
        text = value if isinstance(value, str) else json.dumps(value)
        assert shelf.run("set", key, text, "--profile", "mine").text == "nothing changed\n"
    assert len(written) > 4
    assert shelf.text("mine") == LAYOUTS[layout]
