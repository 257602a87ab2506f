"""`openclaude profiles use`, `rename`, `remove`: what depends on a name is reported or stops it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaude.commands.profiles import move as profiles_move
from openclaude.commands.profiles.move import ProfileInUse
from openclaude.commands.profiles.store import ProfileExists, ShippedProfile
from openclaude.contracts.stack_record import StackRecord
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import FolderUnusable
from openclaude.profile.names import BadProfileName, UnknownProfile, default_profile_name
from openclaude.run.os.processes import start_time
from openclaude.run.stack.folder import write_record
from tests.unit.commands.profiles.shelf import BASE, QWEN, Shelf, shelf

__all__ = ["shelf"]
CHILD = 'schema = 1\nextends  =  "mine"   # mine\n[listen]\nport = 4100\n'


def run_stack(shelf: Shelf, name: str, *, pid: int | None = None) -> None:
    """Write the record of a stack whose supervisor is this process, or one that has ended."""
    folder = shelf.places.stacks / name
    folder.mkdir(parents=True)
    own = os.getpid()
    started = start_time(own) or ""
    record = StackRecord(
        version="0", profile=name, pid=pid or own, started=started, port=4000, main_key="sk-test"
    )
    write_record(folder, record)


# --- use


def test_what_use_names_is_the_default_until_it_is_cleared(shelf: Shelf) -> None:
    path = shelf.places.config / "default"

    used = shelf.run("use", "base")

    assert used.text == "`base` is the default\n"
    assert used.data == {"default": "base", "path": str(path), "notes": []}
    assert path.read_text() == "base\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert default_profile_name({}, shelf.places) == "base"
    assert shelf.run("use", "--clear").text == "`qwen` is the default again\n"
    assert shelf.run("use", "--clear").exit_code == 0
    assert default_profile_name({}, shelf.places) == "qwen"


def test_use_says_when_a_variable_goes_before_it(shelf: Shelf) -> None:
    shelf.env = {"OPENCLAUDE_PROFILE": "qwen"}

    assert shelf.run("use", "base").text == (
        "`base` is the default\nnote: OPENCLAUDE_PROFILE is set and takes precedence\n"
    )


@pytest.mark.parametrize(
    ("arguments", "failure"),
    [
        (("nope",), UnknownProfile),
        (("../x",), BadProfileName),
        ((), UsageError),
        (("qwen", "--clear"), UsageError),
    ],
)
def test_a_default_that_cannot_be_is_exit_2_and_changes_nothing(
    shelf: Shelf, arguments: tuple[str, ...], failure: type[OpenclaudeError]
) -> None:
    (shelf.places.config / "default").write_text("base\n")

    with pytest.raises(failure) as caught:
        shelf.run("use", *arguments)

    assert caught.value.exit_code == 2
    assert (shelf.places.config / "default").read_text() == "base\n"


def test_use_mends_a_broken_default(shelf: Shelf) -> None:
    (shelf.places.config / "default").write_text("gone\n")

    shelf.run("use", "base")

    assert default_profile_name({}, shelf.places) == "base"


# --- rename


def test_a_profile_and_its_children_get_the_new_name(shelf: Shelf) -> None:
    shelf.put("mine", QWEN)
    shelf.put("child", CHILD)
    shelf.put("stranger", BASE)
    shelf.put("broken", "extends = ")
    shelf.run("use", "mine")

    result = shelf.run("rename", "mine", "ours")

    assert result.text == (
        "renamed `mine` to `ours`\nnote: `child` now extends `ours`\n"
        "note: `ours` is now the default\n"
    )
    assert result.data["extended_by"] == ["child"]
    assert shelf.names() == ["broken.toml", "child.toml", "ours.toml", "stranger.toml"]
    assert (shelf.text("ours"), shelf.text("child")) == (QWEN, CHILD.replace('"mine"', '"ours"'))
    assert default_profile_name({}, shelf.places) == "ours"
    assert shelf.run("validate", "child").exit_code == 0


def test_a_renamed_profile_no_longer_hides_the_shipped_one(shelf: Shelf) -> None:
    shelf.put("qwen", QWEN + "[listen]\nport = 4100\n")

    assert shelf.run("rename", "qwen", "mine").text == (
        "renamed `qwen` to `mine`\nnote: the built-in `qwen` is used again\n"
    )


def test_a_renamed_link_leads_where_it_led(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(QWEN)
    (shelf.folder / "mine.toml").symlink_to(target)

    shelf.run("rename", "mine", "ours")

    assert (shelf.folder / "ours.toml").readlink() == target
    assert shelf.names() == ["ours.toml"]


@pytest.mark.parametrize(
    ("names", "failure"),
    [
        (("base", "ours"), ShippedProfile),
        (("nope", "ours"), UnknownProfile),
        (("mine", "child"), ProfileExists),
        (("mine", "qwen"), ProfileExists),
        (("mine", "mine"), ProfileExists),
        (("mine", "../x"), BadProfileName),
    ],
)
def test_a_name_that_cannot_be_given_is_exit_2_and_changes_nothing(
    shelf: Shelf, names: tuple[str, str], failure: type[OpenclaudeError]
) -> None:
    shelf.put("mine", QWEN)
    shelf.put("child", CHILD)

    with pytest.raises(failure) as caught:
        shelf.run("rename", *names)

    assert caught.value.exit_code == 2
    assert shelf.names() == ["child.toml", "mine.toml"]
    assert (shelf.text("mine"), shelf.text("child")) == (QWEN, CHILD)


@pytest.mark.parametrize("arguments", [("rename", "mine", "ours"), ("remove", "mine", "--yes")])
def test_a_profile_whose_stack_runs_stays(shelf: Shelf, arguments: tuple[str, ...]) -> None:
    shelf.put("mine", QWEN)
    run_stack(shelf, "mine")

    with pytest.raises(ProfileInUse) as caught:
        shelf.run(*arguments)

    assert caught.value.exit_code == 2
    assert caught.value.message == "the proxies of `mine` are running"
    assert caught.value.hint == "stop them first: `openclaude stop --profile mine`"
    assert shelf.names() == ["mine.toml"]


@pytest.mark.parametrize("arguments", [("rename", "mine", "ours"), ("remove", "mine", "--yes")])
def test_the_record_of_a_stack_that_has_ended_stops_nobody(
    shelf: Shelf, arguments: tuple[str, ...]
) -> None:
    shelf.put("mine", QWEN)
    run_stack(shelf, "mine", pid=2**22 + 1)

    assert shelf.run(*arguments).exit_code == 0


@pytest.mark.parametrize("step", ["put_under", "save", "write_default"])
def test_a_rename_that_is_cut_short_leaves_every_text_under_a_name_that_works(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shelf.put("mine", QWEN)
    shelf.put("child", CHILD)
    shelf.run("use", "mine")
    real = getattr(profiles_move, step)

    def cut(*arguments: object) -> None:
        real(*arguments)
        raise SystemExit(9)

    monkeypatch.setattr(profiles_move, step, cut)
    with pytest.raises(SystemExit):
        shelf.run("rename", "mine", "ours")

    assert shelf.text("ours") == QWEN
    assert shelf.text("mine") == QWEN
    assert shelf.run("validate", "--all").exit_code == 0
    assert default_profile_name({}, shelf.places) in {"mine", "ours"}


# --- remove


def test_a_profile_is_removed_once_somebody_says_so(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shelf.put("mine", QWEN)
    shelf.answer("yes")

    result = shelf.run("remove", "mine")

    assert result.text == f"removed `{path}`\n"
    assert capsys.readouterr().err == f"remove `{path}`? (yes or no) [no]: "
    assert shelf.names() == []


@pytest.mark.parametrize("answer", ["", "no", "yess"])
def test_anything_but_yes_removes_nothing(shelf: Shelf, answer: str) -> None:
    shelf.put("mine", QWEN)
    shelf.answer(answer)

    with pytest.raises(OpenclaudeError, match="nothing changed") as caught:
        shelf.run("remove", "mine")

    assert caught.value.exit_code == 1
    assert shelf.names() == ["mine.toml"]


def test_where_nobody_can_be_asked_remove_needs_yes(shelf: Shelf) -> None:
    shelf.put("mine", QWEN)

    with pytest.raises(UsageError) as caught:
        shelf.run("remove", "mine")

    assert (caught.value.exit_code, caught.value.hint) == (2, "add `--yes`")
    assert shelf.names() == ["mine.toml"]
    assert shelf.run("remove", "mine", "--yes").exit_code == 0
    assert shelf.names() == []


def test_a_parent_stays_while_others_extend_it(shelf: Shelf) -> None:
    shelf.put("mine", QWEN)
    shelf.put("child", CHILD)
    shelf.put("other", CHILD)

    with pytest.raises(ProfileInUse) as caught:
        shelf.run("remove", "mine", "--yes")

    assert caught.value.message == "`mine` is extended by `child`, `other`"
    assert caught.value.exit_code == 2
    assert shelf.names() == ["child.toml", "mine.toml", "other.toml"]


def test_with_the_users_own_gone_the_shipped_one_is_in_force_again(shelf: Shelf) -> None:
    path = shelf.put("qwen", BASE)
    shelf.put("child", CHILD.replace("mine", "qwen"))
    shelf.run("use", "qwen")

    result = shelf.run("remove", "qwen", "--yes")

    assert result.text == (
        f"removed `{path}`\nnote: the built-in `qwen` is used again\n"
        "note: `child` now extends the built-in one\n"
    )
    assert (shelf.places.config / "default").read_text() == "qwen\n"


def test_a_default_that_is_removed_is_the_default_no_more(shelf: Shelf) -> None:
    path = shelf.put("mine", QWEN)
    shelf.run("use", "mine")

    result = shelf.run("remove", "mine", "--yes")

    assert result.text == f"removed `{path}`\nnote: it was the default; now `qwen` is\n"
    assert not (shelf.places.config / "default").exists()


def test_a_link_that_leads_nowhere_can_be_removed(shelf: Shelf) -> None:
    (shelf.folder / "mine.toml").symlink_to(shelf.folder / "nowhere")

    assert shelf.run("path", "mine").text == f"{shelf.folder / 'mine.toml'}\n"
    shelf.run("remove", "mine", "--yes")

    assert shelf.names() == []


def test_a_folder_in_a_profiles_place_is_not_removed(shelf: Shelf) -> None:
    (shelf.folder / "mine.toml").mkdir()

    with pytest.raises(FolderUnusable, match="cannot remove"):
        shelf.run("remove", "mine", "--yes")

    assert shelf.names() == ["mine.toml"]


@pytest.mark.parametrize(
    ("name", "failure"), [("base", ShippedProfile), ("nope", UnknownProfile), ("A", BadProfileName)]
)
def test_what_is_not_the_users_is_not_removed(
    shelf: Shelf, name: str, failure: type[OpenclaudeError]
) -> None:
    with pytest.raises(failure) as caught:
        shelf.run("remove", name, "--yes")

    assert caught.value.exit_code == 2
    assert (shelf.places.shipped / "base.toml").exists()
