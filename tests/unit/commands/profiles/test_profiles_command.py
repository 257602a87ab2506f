"""`openclaude profiles`: arguments to text, JSON and exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openclaude.commands.profiles import command as profiles
from openclaude.commands.runner import Parser
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.mistakes import BadOverride, ProfileMistakes
from openclaude.profile.names import BadProfileName, UnknownProfile

BASE = 'schema = 1\ndescription = "Claude"\n'
QWEN = """\
schema = 1
extends = "base"

[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
label = "Qwen"

[aws]
profile = "p"
region = "us-west-2"
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A user without profiles of their own, and two built-in ones."""
    shipped = tmp_path / "shipped"
    user = tmp_path / "config" / "profiles"
    for folder in (shipped, user):
        folder.mkdir(parents=True)
    (shipped / "base.toml").write_text(BASE)
    (shipped / "qwen.toml").write_text(QWEN)
    return Places(
        home=tmp_path,
        config=tmp_path / "config",
        state=tmp_path / "state",
        cache=tmp_path / "cache",
        shipped=shipped,
    )


def run(places: Places, *arguments: str, **env: str) -> Result:
    """Run `openclaude profiles ARGUMENTS`."""
    parser = Parser(prog="openclaude profiles", allow_abbrev=False)
    profiles.add_arguments(parser)
    return profiles.run(parser.parse_args(arguments), places, env)


def put(places: Places, name: str, text: str) -> Path:
    """Write a profile of the user's."""
    path = places.profiles / f"{name}.toml"
    path.write_text(text)
    return path


# --- list


def test_list_shows_every_profile_with_its_tiers_and_marks_the_default(places: Places) -> None:
    put(places, "mine", 'schema = 1\nextends = "qwen"\ntiers.opus = "claude-opus-5-5"\n')

    assert (
        run(places, "list").text
        == """\
  NAME  OPUS             SONNET  HAIKU                            FABLE   FROM
  base  claude           claude  claude                           claude  shipped
  mine  claude-opus-5-5  claude  bedrock/qwen.qwen3-next-80b-a3b  claude  user
* qwen  claude           claude  bedrock/qwen.qwen3-next-80b-a3b  claude  shipped
"""
    )


def test_without_an_action_it_lists(places: Places) -> None:
    assert run(places) == run(places, "list")


def test_a_broken_profile_is_in_the_list_and_does_not_stop_it(places: Places) -> None:
    broken = put(places, "broken", "schema = 1\ntirs = 1\nlisten.port = 80\n")
    folder = places.profiles / "folder.toml"
    folder.mkdir()
    stray = put(places, "My Profile", BASE)

    result = run(places, "list", OPENCLAUDE_PROFILE="gone")

    assert result.exit_code == 0
    assert (
        result.text
        == f"""\
  NAME    OPUS    SONNET  HAIKU                            FABLE   FROM
  base    claude  claude  claude                           claude  shipped
  broken  ?       ?       ?                                ?       user
  folder  ?       ?       ?                                ?       user
  qwen    claude  claude  bedrock/qwen.qwen3-next-80b-a3b  claude  shipped

broken: broken: {broken}:2: tirs: unknown key; did you mean `tiers`? \
(and 1 more: `openclaude profiles validate broken`)
broken: folder: cannot read `{folder}`: it is a directory
not listed: {stray}: a name has a-z, 0-9, `.`, `_` and `-`, begins with a letter or a digit, \
and is at most 64 characters long
the default, `gone`, does not exist
"""
    )


def test_the_list_as_json(places: Places) -> None:
    path = put(places, "broken", "schema = 1\ntirs = 1\n")

    data = run(places, "list", "--json").data

    assert json.loads(json.dumps(data)) == {
        "default": "qwen",
        "profiles": [
            {
                "name": "base",
                "path": str(places.shipped / "base.toml"),
                "from": "shipped",
                "default": False,
                "description": "Claude",
                "tiers": dict.fromkeys(("opus", "sonnet", "haiku", "fable"), "claude"),
                "errors": [],
            },
            {
                "name": "broken",
                "path": str(path),
                "from": "user",
                "default": False,
                "description": None,
                "tiers": None,
                "errors": [
                    {
                        "code": "profile-invalid",
                        "message": "unknown key",
                        "hint": "did you mean `tiers`?",
                        "path": str(path),
                        "line": 2,
                        "key": "tirs",
                    }
                ],
            },
            {
                "name": "qwen",
                "path": str(places.shipped / "qwen.toml"),
                "from": "shipped",
                "default": True,
                "description": "",
                "tiers": {
                    "opus": "claude",
                    "sonnet": "claude",
                    "haiku": "bedrock/qwen.qwen3-next-80b-a3b",
                    "fable": "claude",
                },
                "errors": [],
            },
        ],
    }


@pytest.mark.parametrize("content", ["no name", "gone"])
def test_a_broken_default_does_not_stop_the_list(places: Places, content: str) -> None:
    path = places.config / "default"
    path.write_text(content)

    result = run(places, "list")

    why = {
        "no name": "does not contain a profile name",
        "gone": "names the profile `gone`, which does not exist",
    }[content]
    assert result.text.endswith(
        f"\n`{path}` {why}: choose the default with `openclaude profiles use NAME`\n"
    )
    assert result.data["default"] is None


def test_the_list_marks_what_use_chose(places: Places) -> None:
    (places.config / "default").write_text("base\n")

    assert "\n* base " in "\n" + run(places, "list").text


# --- show


def test_show_says_where_each_value_comes_from(places: Places) -> None:
    text = run(places, "show", OPENCLAUDE_LITELLM_PORT="5000").text

    at = places.shipped / "qwen.toml"
    assert (
        text
        == f"""\
KEY                            VALUE                              FROM
schema                         1                                  {at}:1
extends                        "base"                             {at}:2
tiers.opus.model               "claude"                           default
tiers.sonnet.model             "claude"                           default
tiers.haiku.model              "bedrock/qwen.qwen3-next-80b-a3b"  {at}:5
tiers.haiku.label              "Qwen"                             {at}:6
tiers.haiku.max_output_tokens  8000                               LiteLLM's map
tiers.haiku.context_window     256000                             LiteLLM's map
tiers.haiku.vision             false                              LiteLLM's map
tiers.fable.model              "claude"                           default
anthropic.auth                 "plan"                             default
anthropic.base_url             "https://api.anthropic.com"        default
anthropic.first_party          false                              default
aws.profile                    "p"                                {at}:9
aws.region                     "us-west-2"                        {at}:10
aws.on_expired                 "ask"                              default
listen.port                    5000                               OPENCLAUDE_LITELLM_PORT
listen.strict                  false                              default
listen.tls                     true                               default
search.with                    "claude"                           default
stack.idle_sleep               "15m"                              default
stack.linger                   "10m"                              default
launch.statusline              true                               default
ledger.keep                    "90d"                              default
budget.then                    "stop"                             default
"""
    )


def test_show_as_json_has_values_origins_and_sources(places: Places) -> None:
    data = json.loads(json.dumps(run(places, "show", "qwen", "--json").data))

    assert list(data) == ["name", "values", "from_map", "origins", "sources"]
    assert data["values"]["tiers"]["haiku"]["label"] == "Qwen"
    assert data["values"]["schema"] == 1
    assert data["from_map"] == {
        "tiers.haiku.max_output_tokens": 8000,
        "tiers.haiku.context_window": 256000,
        "tiers.haiku.vision": False,
    }
    assert data["origins"]["tiers.haiku.label"] == {
        "kind": "profile",
        "path": str(places.shipped / "qwen.toml"),
        "line": 6,
        "variable": None,
    }
    assert [source["name"] for source in data["sources"]] == ["qwen", "base"]


@pytest.mark.parametrize(
    ("arguments", "env", "failure"),
    [
        (("show", "qwem"), {}, UnknownProfile),
        (("show", "../../x"), {}, BadProfileName),
        (("show",), {"OPENCLAUDE_PROFILE": "../x"}, BadProfileName),
        (("show",), {"OPENCLAUDE_LITELLM_PORT": "x"}, BadOverride),
        (("list",), {"OPENCLAUDE_LITELLM_PORT": "x"}, BadOverride),
        (("validate",), {"OPENCLAUDE_LITELLM_PORT": "x"}, BadOverride),
        (("validate", "--all", "qwen"), {}, UsageError),
    ],
)
def test_bad_input_is_exit_2(
    places: Places, arguments: tuple[str, ...], env: dict[str, str], failure: type[OpenclaudeError]
) -> None:
    with pytest.raises(failure) as caught:
        run(places, *arguments, **env)

    assert caught.value.exit_code == 2


def test_showing_a_broken_profile_is_its_report(places: Places) -> None:
    put(places, "broken", "schema = 1\ntirs = 1\n")

    with pytest.raises(ProfileMistakes):
        run(places, "show", "broken")


# --- validate

PLAN_TOLD = "conversations and your Claude login go to https://api.anthropic.com, encrypted"


def test_a_valid_profile_is_exit_0(places: Places) -> None:
    result = run(places, "validate")

    assert (result.exit_code, result.errors) == (0, ())
    assert result.text == (
        f"`qwen` is valid\n  opus, sonnet, fable: {PLAN_TOLD}\n"
        "  haiku: conversations and signatures of AWS profile `p` go to AWS Bedrock in us-west-2 "
        "(`bedrock/qwen.qwen3-next-80b-a3b`), encrypted\n"
    )
    (checked,) = json.loads(json.dumps(result.data))["profiles"]
    assert [one["credential"] for one in checked.pop("disclosures")] == [
        "your Claude login",
        "signatures of AWS profile `p`",
    ]
    assert checked == {"name": "qwen", "valid": True, "errors": [], "warnings": []}


def test_validate_reports_everything_of_every_profile_and_exits_2(
    places: Places, tmp_path: Path
) -> None:
    broken = put(places, "broken", "schema = 1\ntirs = 1\nlisten.port = 80\n")
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text("schema = 1\ntirs = 1\n")

    result = run(places, "validate", "broken", "base", str(elsewhere), "qwem", "A", "/gone.toml")

    assert result.exit_code == 2
    assert (
        result.text
        == f"""\
`broken` has 2 mistakes
error: {broken}:2: tirs: unknown key; did you mean `tiers`?
error: {broken}:3: listen.port: must be a port from 1024 to 65534, not 80; providers listens on \
the next one
`base` is valid
  opus, sonnet, haiku, fable: {PLAN_TOLD}
`{elsewhere}` has 1 mistake
error: {elsewhere}:2: tirs: unknown key; did you mean `tiers`?
`qwem` has 1 mistake
error: no profile named `qwem`; did you mean `qwen`?
`A` has 1 mistake
error: `A` cannot be a profile name; a name has a-z, 0-9, `.`, `_` and `-`, begins with a letter \
or a digit, and is at most 64 characters long
`/gone.toml` has 1 mistake
error: cannot read `/gone.toml`: no such file
"""
    )
    assert [error["code"] for error in result.errors] == [
        "profile-invalid",
        "profile-invalid",
        "profile-invalid",
        "profile-unknown",
        "profile-name",
        "profile-unreadable",
    ]


def test_validate_all_is_every_profile(places: Places) -> None:
    put(places, "broken", "")

    result = run(places, "validate", "--all", "--json")

    assert result.exit_code == 2
    assert [(one["name"], one["valid"]) for one in result.data["profiles"]] == [  # type: ignore[attr-defined]
        ("base", True),
        ("broken", False),
        ("qwen", True),
    ]


def test_a_warning_does_not_fail(places: Places) -> None:
    path = put(
        places,
        "small",
        'schema = 1\ntiers.haiku = "bedrock/qwen.qwen3-32b-v1:0"\n'
        '[aws]\nprofile = "p"\nregion = "us-west-2"\n',
    )

    result = run(places, "validate", "small")

    message = "32768 tokens: claude's instructions and tools fill this window quickly"
    assert result.exit_code == 0
    assert result.text == (
        f"`small` is valid\nwarning: {path}:2: tiers.haiku.context_window: {message}\n"
        f"  opus, sonnet, fable: {PLAN_TOLD}\n"
        "  haiku: conversations and signatures of AWS profile `p` go to AWS Bedrock in us-west-2 "
        "(`bedrock/qwen.qwen3-32b-v1:0`), encrypted\n"
    )
    assert result.data["profiles"][0]["warnings"] == [  # type: ignore[index]
        {
            "code": "profile-warning",
            "message": message,
            "hint": "",
            "path": str(path),
            "line": 2,
            "key": "tiers.haiku.context_window",
        }
    ]


# --- the rest


def test_json_is_asked_for_after_the_action_only_where_it_answers(places: Places) -> None:
    parser = Parser()
    profiles.add_arguments(parser)

    assert parser.parse_args(["list"]).json is False
    assert parser.parse_args(["list", "--json"]).json is True


@pytest.mark.reaches_out
def test_importing_the_command_imports_neither_pydantic_nor_tomlkit() -> None:
    script = (
        "import sys, openclaude.commands.profiles.command\n"
        "print(sorted({'pydantic', 'tomlkit', 'litellm', 'botocore'} & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert done.stdout == "[]\n"
