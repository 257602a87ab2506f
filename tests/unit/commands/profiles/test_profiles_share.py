"""`openclaude profiles export` and `import`, `diff` and `path`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaude.commands.profiles.store import ProfileExists
from openclaude.contracts.printable import printable
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.paths import find_shipped
from openclaude.profile.author.export import export_text
from openclaude.profile.author.review import find_exposed
from openclaude.profile.library import Library
from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile
from openclaude.profile.names import BadProfileName, UnknownProfile
from openclaude.profile.toml.render import key_text, value_text
from tests.conftest import NOWHERE, REPOSITORY
from tests.unit.commands.profiles.shelf import BASE, CODER, QWEN, Shelf, shelf

__all__ = ["shelf"]
SHIPPED = find_shipped(REPOSITORY / "openclaude")
MINE = f"""\
schema = 1
description = "mine"
extends = "qwen"

[tiers]
sonnet = "{CODER}"

[tiers.haiku]
fallbacks = ["{CODER}"]
params = {{ top_k = 5, "odd key" = [1, {{ x = true }}] }}
"""
EXPORTED = f"""\
# Profile `mine`, combined from `mine`, `qwen`, `base`.
# It needs no other profile and contains no secrets, only references to them.
schema = 1
description = "mine"

[tiers]
sonnet = "{CODER}"

[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"  # from `qwen`
fallbacks = ["{CODER}"]
label = "Qwen"  # from `qwen`
params.top_k = 5
params."odd key" = [1, {{ x = true }}]

[aws]
profile = "p"  # from `qwen`
region = "us-west-2"  # from `qwen`
"""


# --- export


def test_an_export_says_everything_and_where_it_was_said(shelf: Shelf) -> None:
    shelf.put("mine", MINE)
    shelf.env = {"OPENCLAUDE_AWS_REGION": "eu-west-1"}  # about this machine, not the profile

    result = shelf.run("export", "mine")

    assert result.text == EXPORTED
    assert result.data == {
        "name": "mine",
        "text": EXPORTED,
        "sources": ["mine", "qwen", "base"],
        "path": None,
    }


def test_an_export_can_go_into_a_file(shelf: Shelf, tmp_path: Path) -> None:
    out = tmp_path / "out.toml"

    result = shelf.run("export", "--out", str(out))

    assert result.text == f"wrote `{out}`\n"
    assert out.read_text() == result.data["text"]
    assert out.stat().st_mode & 0o777 == 0o600


def test_an_export_into_a_folder_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        shelf.run("export", "--out", str(tmp_path))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_an_exported_shipped_profile_does_the_same(path: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "none", SHIPPED)
    loaded = library.load(path.stem, env={})
    out = tmp_path / "out.toml"
    out.write_text(export_text(loaded))

    again = library.load_file(out, env={})

    assert again.profile == loaded.profile.model_copy(update={"extends": None})


SETTINGS: dict[tuple[str, ...], st.SearchStrategy[Any]] = {
    ("description",): st.text("ab \"\\'#é", min_size=1, max_size=5).filter(str.strip),
    ("tiers", "opus"): st.sampled_from(["claude", "claude-opus-5-5", CODER]),
    ("tiers", "haiku", "model"): st.sampled_from(["bedrock/qwen.qwen3-next-80b-a3b", CODER]),
    ("tiers", "haiku", "label"): st.text("ab \"\\'#é", min_size=1, max_size=5).filter(str.strip),
    ("tiers", "haiku", "max_output_tokens"): st.integers(1, 5000),
    ("tiers", "haiku", "params", "top_k"): st.integers(0, 9) | st.lists(st.booleans(), max_size=2),
    ("aws", "profile"): st.sampled_from(["a", "b c"]),
    ("aws", "region"): st.sampled_from(["us-west-2", "us-east-1"]),
    ("listen", "port"): st.integers(1024, 65534),
    ("listen", "strict"): st.booleans(),
    ("agents", "explore"): st.sampled_from(["opus", "haiku"]),
    ("stack", "linger"): st.sampled_from(["1s", "never"]),
}
FULL = {
    ("tiers", "haiku", "model"): "bedrock/qwen.qwen3-next-80b-a3b",
    ("aws", "profile"): "p",
    ("aws", "region"): "us-west-2",
}


@st.composite
def files(draw: st.DrawFn, parent: str) -> str:
    """A profile with some of the keys, in dotted form."""
    keys = draw(st.lists(st.sampled_from(sorted(SETTINGS)), unique=True))
    said = {key: draw(SETTINGS[key]) for key in keys}
    lines = [f"{key_text(key)} = {value_text(value)}" for key, value in said.items()]
    return "\n".join(["schema = 1", f'extends = "{parent}"', *lines]) + "\n"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files("parent"), files("full"))
def test_an_export_is_valid_and_does_the_same(shelf: Shelf, child: str, parent: str) -> None:
    full = [f"{key_text(key)} = {value_text(value)}" for key, value in FULL.items()]
    shelf.put("full", "\n".join(["schema = 1", *full]))
    shelf.put("parent", parent)
    shelf.put("child", child)
    library = Library(shelf.folder, shelf.places.shipped)
    loaded = library.load("child", env={})

    shelf.put("again", export_text(loaded))

    again = library.load("again", env={})
    assert again.profile == loaded.profile.model_copy(update={"extends": None})
    assert [source.name for source in again.sources] == ["again"]
    assert shelf.run("diff", "child", "again").exit_code == 0


@pytest.mark.parametrize(
    ("name", "failure"), [("nope", UnknownProfile), ("broken", ProfileMistakes)]
)
def test_what_cannot_be_loaded_is_not_exported(
    shelf: Shelf, name: str, failure: type[OpenclaudeError]
) -> None:
    shelf.put("broken", "schema = 1\ntirs = 1\n")

    with pytest.raises(failure) as caught:
        shelf.run("export", name)

    assert caught.value.exit_code == 2


# --- import

FOREIGN = """\
# from a friend \x1b]0;owned\x07
schema = 1
extends = "base"

[anthropic]
base_url = "http://127.0.0.1:9"
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A file from elsewhere that is valid, except for its comment, which TOML forbids."""
    path = tmp_path / "friend.toml"
    path.write_text(FOREIGN.replace("\x1b", "\u202e").replace("\x07", ""))
    return path


def test_a_file_is_shown_before_it_is_kept(
    shelf: Shelf, foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.answer("yes")

    result = shelf.run("import", str(foreign))

    assert result.text == (
        f"wrote `{shelf.folder / 'friend.toml'}`, which was imported unchanged from `{foreign}`\n"
        "use it: `openclaude --profile friend`\n"
    )
    assert shelf.text("friend") == foreign.read_text()
    assert capsys.readouterr().err == (
        "# from a friend \\u202e]0;owned\n"
        'schema = 1\nextends = "base"\n\n[anthropic]\nbase_url = "http://127.0.0.1:9"\n\n'
        "Check these before you save it:\n"
        '  anthropic.base_url = "http://127.0.0.1:9": your Claude login is sent to this address\n'
        "  opus, sonnet, haiku, fable: conversations and your Claude login go to "
        "http://127.0.0.1:9, on this machine\n"
        "save it as `friend`? (yes or no) [no]: "
    )


def test_a_file_that_is_not_confirmed_is_not_kept(shelf: Shelf, foreign: Path) -> None:
    shelf.answer("no")

    with pytest.raises(OpenclaudeError, match="nothing changed") as caught:
        shelf.run("import", str(foreign))

    assert (caught.value.exit_code, shelf.names()) == (1, [])


def test_where_nobody_can_be_asked_import_needs_yes(shelf: Shelf, foreign: Path) -> None:
    with pytest.raises(UsageError) as caught:
        shelf.run("import", str(foreign))

    assert caught.value.exit_code == 2
    assert shelf.names() == []
    result = shelf.run("import", str(foreign), "other", "--yes")
    assert shelf.names() == ["other.toml"]
    assert result.text.endswith(
        'note: anthropic.base_url = "http://127.0.0.1:9": your Claude login is sent to this '
        "address\n"
        "note: opus, sonnet, haiku, fable: conversations and your Claude login go to "
        "http://127.0.0.1:9, on this machine\n"
    )
    assert json.loads(json.dumps(result.data))["exposed"] == [
        {
            "key": "anthropic.base_url",
            "value": '"http://127.0.0.1:9"',
            "why": "your Claude login is sent to this address",
        }
    ]
    assert result.data["disclosures"][0] == {  # type: ignore[index]
        "asked_for": "opus, sonnet, haiku, fable",
        "model": "",
        "recipient": "http://127.0.0.1:9",
        "credential": "your Claude login",
        "is_encrypted": False,
        "is_local": True,
        "what": "conversations",
    }


def test_stdin_can_be_imported_under_a_name(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(QWEN.encode())))

    shelf.run("import", "-", "mine", "--yes")

    assert shelf.text("mine") == QWEN


@pytest.mark.parametrize(
    ("arguments", "text", "failure"),
    [
        (("-", "--yes"), QWEN, UsageError),
        (("-", "mine"), QWEN, UsageError),
        (("FILE", "A", "--yes"), QWEN, BadProfileName),
        (("FILE", "qwen", "--yes"), QWEN, ProfileExists),
        (("FILE", "--yes"), "schema = 1\ntirs = 1\n", ProfileMistakes),
        (("FILE", "--yes"), 'schema = 1\nextends = "elsewhere"\n', ProfileMistakes),
        (("FILE", "--yes"), "schema = ", ProfileMistakes),
        (("FILE", "--yes"), FOREIGN, ProfileMistakes),
        (("FILE", "--yes"), "# " + "x" * (1 << 20), UnreadableProfile),
        ((NOWHERE, "--yes"), "", UnreadableProfile),
    ],
)
def test_what_cannot_be_kept_is_exit_2_and_writes_nothing(
    shelf: Shelf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    text: str,
    failure: type[OpenclaudeError],
) -> None:
    path = tmp_path / "friend.toml"
    path.write_text(text)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    with pytest.raises(failure) as caught:
        shelf.run("import", *(one.replace("FILE", str(path)) for one in arguments))

    assert caught.value.exit_code == 2
    assert shelf.names() == []


def test_a_mistake_in_a_file_from_elsewhere_is_reported_at_its_own_line(
    shelf: Shelf, tmp_path: Path
) -> None:
    path = tmp_path / "friend.toml"
    path.write_text("schema = 1\ntirs = 1\n")

    with pytest.raises(ProfileMistakes) as caught:
        shelf.run("import", str(path), "--yes")

    assert caught.value.message.startswith(f"{path}:2: tirs: ")


def test_everything_that_can_send_credentials_somewhere_or_run_is_pointed_at() -> None:
    values = {
        "anthropic": {"base_url": "u", "api_key": "command:evil --now", "on_limit": "p/m"},
        "aws": {"profile": "p", "region": "r", "endpoint_url": "e"},
        "tiers": {
            "opus": "claude",
            "fable": {"model": "claude-opus-5-5"},
            "sonnet": "p/m",
            "haiku": {
                "model": "m",
                "fallbacks": ["p/m"],
                "api_base": "b",
                "api_key": "file:~/.ssh/id\x1b",
                "params": {"headers": [" Command:x"]},
            },
        },
        "stack": {"linger": "never", "idle_sleep": "never"},
    }

    assert [(one.key, one.why.partition(" ")[2]) for one in find_exposed(values)] == [
        ("anthropic.base_url", "Claude login is sent to this address"),
        ("anthropic.api_key", "key is sent to Anthropic's address"),
        ("anthropic.api_key", "program is run on your machine"),
        ("anthropic.on_limit", "of Claude tiers are sent to this model at the limit"),
        ("aws.profile", "credentials of this AWS profile are used"),
        (
            "aws.endpoint_url",
            "signed with your AWS credentials are sent to this address",
        ),
        ("tiers.sonnet", "conversation of this tier is sent to this model"),
        ("tiers.haiku.model", "conversation of this tier is sent to this model"),
        ("tiers.haiku.fallbacks", "of this tier are sent to these models, too"),
        ("tiers.haiku.api_base", "tier's credential and every prompt are sent to this address"),
        ("tiers.haiku.api_key", "key is sent to the tier's provider"),
        ("tiers.haiku.api_key", "file is read on your machine"),
        ("tiers.haiku.params", "is passed to LiteLLM unchanged"),
        ("tiers.haiku.params.headers.0", "program is run on your machine"),
        ("stack.linger", "proxies never stop, and keep your keys in memory"),
    ]
    assert '"file:~/.ssh/id\\u001b"' in {one.value for one in find_exposed(values)}


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    assert printable("a\x1b[2J\r\x07\u202e\x9b\tb\né") == "a\\x1b[2J\\r\\x07\\u202e\\x9b\tb\né"


# --- diff and path


def test_diff_shows_each_value_that_differs_and_where_it_is_from(shelf: Shelf) -> None:
    path = shelf.put(
        "mine", 'schema = 1\ndescription = "x"\nextends = "qwen"\nlisten.port = 4100\n'
    )

    result = shelf.run("diff", "mine", "qwen")

    assert result.exit_code == 1
    assert result.text == (
        f"KEY          mine  FROM{' ' * (len(str(path)) - 2)}  qwen  FROM\n"
        f"listen.port  4100  {path}:4  4000  default\n"
    )
    assert result.data == {
        "a": "mine",
        "b": "qwen",
        "differences": [
            {
                "key": "listen.port",
                "a": {"value": 4100, "from": f"{path}:4"},
                "b": {"value": 4000, "from": "default"},
            }
        ],
    }


def test_diff_knows_limits_that_only_one_side_has(shelf: Shelf) -> None:
    result = shelf.run("diff", "base", "qwen")

    rows = [line.split()[0] for line in result.text.splitlines()]
    assert rows == [
        "KEY",
        "tiers.haiku.model",
        "tiers.haiku.label",
        "tiers.haiku.max_output_tokens",
        "tiers.haiku.context_window",
        "tiers.haiku.vision",
        "aws.profile",
        "aws.region",
    ]
    assert "tiers.haiku.label              -         -" in result.text


def test_profiles_that_do_the_same_are_exit_0(shelf: Shelf, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(BASE)

    result = shelf.run("diff", "base", str(elsewhere))

    assert (result.exit_code, result.text) == (0, f"`base` and `{elsewhere}` are the same\n")
    assert result.data["differences"] == []


def test_diff_of_what_is_broken_is_exit_2(shelf: Shelf) -> None:
    shelf.put("broken", "schema = 1\ntirs = 1\n")

    with pytest.raises(ProfileMistakes) as caught:
        shelf.run("diff", "base", "broken")

    assert caught.value.exit_code == 2


def test_path_is_the_file_a_name_means_or_the_folder(shelf: Shelf) -> None:
    own = shelf.put("mine", "broken = ")

    assert shelf.run("path").text == f"{shelf.folder}\n"
    assert shelf.run("path", "mine").text == f"{own}\n"
    assert shelf.run("path", "qwen").data == {
        "name": "qwen",
        "path": str(shelf.places.shipped / "qwen.toml"),
        "from": "shipped",
    }
    with pytest.raises(UnknownProfile):
        shelf.run("path", "nope")
