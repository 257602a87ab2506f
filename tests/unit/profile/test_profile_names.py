"""Profile names: the rules, and which profile is meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaude.paths import Places
from openclaude.profile.names import (
    BadDefault,
    BadProfileName,
    UnknownProfile,
    check_name,
    default_profile_name,
    profile_name,
    shorten,
)


@pytest.mark.parametrize("name", ["qwen", "q", "0", "a.b", "qwen-2_x.y", "a" * 64, "a..b"])
def test_a_name_of_the_rules_is_kept(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../x",
        "a/b",
        "/etc/passwd",
        ".hidden",
        "-p",
        "_x",
        "Qwen",
        "qwen ",
        "qwen\n",
        "qwen\0",
        "a" * 65,
        "é",
        "１",
    ],
)
def test_a_name_that_breaks_the_rules_is_refused(name: str) -> None:
    with pytest.raises(BadProfileName) as caught:
        check_name(name)

    assert caught.value.exit_code == 2
    assert caught.value.code == "profile-name"


def test_a_refused_name_is_shown_with_the_rules() -> None:
    error = BadProfileName("../../x")

    assert error.message == "`../../x` cannot be a profile name"
    assert error.hint == (
        "a name has a-z, 0-9, `.`, `_` and `-`, begins with a letter or a digit, "
        "and is at most 64 characters long"
    )


def test_what_a_terminal_would_obey_is_shown_escaped_and_short() -> None:
    assert shorten("\x1b[31mred") == "\\x1b[31mred"
    assert shorten("x" * 100) == "x" * 77 + "..."


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A user with one profile, `mine`; `qwen` is built in."""
    places = Places(
        home=tmp_path,
        config=tmp_path / "config",
        state=tmp_path / "state",
        cache=tmp_path / "cache",
        shipped=tmp_path / "shipped",
    )
    for folder, name in ((places.profiles, "mine"), (places.shipped, "qwen")):
        folder.mkdir(parents=True)
        (folder / f"{name}.toml").write_text("schema = 1\n")
    return places


WORK = {"OPENCLAUDE_PROFILE": "work"}


@pytest.mark.parametrize(
    ("env", "used", "name"),
    [
        ({}, None, "qwen"),
        ({"OPENCLAUDE_PROFILE": ""}, None, "qwen"),
        (WORK, None, "work"),
        ({}, "mine\n", "mine"),
        ({}, "mine", "mine"),
        ({}, "qwen\r\n", "qwen"),
        ({"OPENCLAUDE_PROFILE": ""}, "mine\n", "mine"),
        (WORK, "mine\n", "work"),
        (WORK, "no name\n", "work"),
    ],
)
def test_the_variable_names_the_profile_then_the_file_else_it_is_qwen(
    places: Places, env: dict[str, str], used: str | None, name: str
) -> None:
    if used is not None:
        (places.config / "default").write_text(used)

    assert default_profile_name(env, places) == name
    assert profile_name("base", env, places) == "base"


def test_a_bad_name_in_the_variable_is_refused_by_the_variables_name(places: Places) -> None:
    with pytest.raises(BadProfileName) as caught:
        default_profile_name({"OPENCLAUDE_PROFILE": "a/b"}, places)

    assert caught.value.message == "OPENCLAUDE_PROFILE: `a/b` cannot be a profile name"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "does not contain a profile name"),
        (b"../x\n", "does not contain a profile name"),
        (b"mine\nqwen\n", "does not contain a profile name"),
        (b"\xff\xfe\0", "does not contain a profile name"),
        (b"m" * 100_000, "does not contain a profile name"),
        (b"gone\n", "names the profile `gone`, which does not exist"),
    ],
)
def test_a_broken_default_is_refused_by_its_file_with_the_command_that_mends_it(
    places: Places, content: bytes, why: str
) -> None:
    path = places.config / "default"
    path.write_bytes(content)

    with pytest.raises(BadDefault) as caught:
        default_profile_name({}, places)

    assert caught.value.message == f"`{path}` {why}"
    assert caught.value.hint == "choose the default with `openclaude profiles use NAME`"
    assert (caught.value.code, caught.value.exit_code) == ("profile-default", 2)


def test_a_default_that_is_no_file_is_refused_and_never_waited_for(places: Places) -> None:
    path = places.config / "default"
    path.mkdir()
    with pytest.raises(BadDefault, match="cannot be read: is a directory"):
        default_profile_name({}, places)
    path.rmdir()
    os.mkfifo(path)

    with pytest.raises(BadDefault, match="does not contain a profile name"):
        default_profile_name({}, places)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("qwem", "did you mean `qwen`?"),
        ("other", "list them with `openclaude profiles list`"),
    ],
)
def test_an_unknown_profile_suggests_the_nearest(name: str, hint: str) -> None:
    error = UnknownProfile(name, ("base", "qwen"))

    assert (error.message, error.hint) == (f"no profile named `{name}`", hint)
    assert (error.code, error.exit_code) == ("profile-unknown", 2)
