"""Profile names: the rules, and which profile is meant."""

from __future__ import annotations

import pytest

from openclaude.profile.names import (
    BadProfileName,
    UnknownProfile,
    check_name,
    default_profile_name,
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


@pytest.mark.parametrize(
    ("env", "name"),
    [({}, "qwen"), ({"OPENCLAUDE_PROFILE": ""}, "qwen"), ({"OPENCLAUDE_PROFILE": "work"}, "work")],
)
def test_the_variable_names_the_profile_else_it_is_qwen(env: dict[str, str], name: str) -> None:
    assert default_profile_name(env) == name


def test_a_bad_name_in_the_variable_is_refused_by_the_variables_name() -> None:
    with pytest.raises(BadProfileName) as caught:
        default_profile_name({"OPENCLAUDE_PROFILE": "a/b"})

    assert caught.value.message == "OPENCLAUDE_PROFILE: `a/b` cannot be a profile name"


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
