"""`openclaude profiles edit`: a valid text is saved, and no text is ever lost."""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaude.commands.profiles import edit
from openclaude.commands.profiles.edit import (
    ChangedMeanwhile,
    Discarded,
    EditorFailed,
    NotSaved,
    find_editor,
    is_edited,
)
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.names import UnknownProfile
from tests.unit.commands.profiles.shelf import QWEN, Shelf, shelf, written

__all__ = ["shelf"]
NEW = QWEN.replace("us-west-2", "eu-west-1")
BROKEN = QWEN.replace("us-west-2", "us-west-22") + "tirs = 1\n"
GONE = 2**22 + 1  # Linux assigns no such pid
Editor = Callable[..., None]


@pytest.fixture
def editor(shelf: Shelf, tmp_path: Path) -> Editor:
    """Make VISUAL a program that writes these texts, one per run, and runs a line."""

    def make(*texts: str | None, line: str = "", status: int = 0) -> None:
        script = tmp_path / "an editor.py"
        script.write_text(
            "import os, sys\nfrom pathlib import Path\n"
            f"texts, runs = {texts!r}, Path({str(tmp_path / 'runs')!r})\n"
            "draft = Path(sys.argv[-1])\n"
            "with runs.open('a') as file: file.write(f'{draft}\\n')\n"
            "run = len(runs.read_text().splitlines()) - 1\n"
            "with open(runs.with_name('seen'), 'a') as file: file.write(draft.read_text() + '|')\n"
            "text = texts[min(run, len(texts) - 1)] if texts else None\n"
            "if text is not None: draft.write_bytes(text.encode())\n"
            f"{line}\nsys.exit({status})\n"
        )
        shelf.env = {"VISUAL": shlex.join([sys.executable, str(script)]), "EDITOR": "false"}

    return make


def seen(tmp_path: Path) -> list[str]:
    """Return what the editor displayed, run by run."""
    return (tmp_path / "seen").read_text().split("|")[:-1]


def draft(shelf: Shelf, name: str = "mine", pid: int | None = None) -> Path:
    base = hashlib.sha256(QWEN.encode()).hexdigest()[:8]
    return shelf.folder / f".{name}.{os.getpid() if pid is None else pid}.{base}.draft.toml"


@pytest.fixture
def other() -> Iterator[int]:
    """Return the pid of another running process. Not 1: in a container that may be pytest."""
    with subprocess.Popen(("sleep", "600")) as process:
        yield process.pid
        process.kill()


pytestmark = pytest.mark.reaches_out


def test_a_valid_text_is_saved(shelf: Shelf, editor: Editor, tmp_path: Path) -> None:
    path = shelf.put("mine", QWEN)
    editor(NEW)

    result = shelf.run("edit", "mine")

    assert result.text == f"saved `{path}`\n"
    assert result.data["changed"] is True
    assert (shelf.text("mine"), shelf.names()) == (NEW, ["mine.toml"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert seen(tmp_path) == [QWEN]


def test_the_editor_works_on_a_private_copy_that_it_takes_for_toml(
    shelf: Shelf, editor: Editor, tmp_path: Path
) -> None:
    shelf.put("mine", QWEN)
    editor(line=f"Path({str(tmp_path / 'mode')!r}).write_text(oct(draft.stat().st_mode))")

    shelf.run("edit", "mine")

    assert (tmp_path / "mode").read_text() == "0o100600"
    assert (tmp_path / "runs").read_text() == f"{draft(shelf)}\n"


def test_an_unchanged_text_changes_nothing(shelf: Shelf, editor: Editor) -> None:
    path = shelf.put("mine", QWEN)
    before = written(path)
    editor()

    result = shelf.run("edit", "mine")

    assert result.text == "nothing changed\n"
    assert written(path) == before
    assert shelf.names() == ["mine.toml"]


def test_editing_a_shipped_profile_makes_one_of_the_users(shelf: Shelf, editor: Editor) -> None:
    editor(NEW)

    result = shelf.run("edit")

    path = shelf.folder / "qwen.toml"
    assert result.text == (
        f"saved `{path}`\nnote: `{path}` is used instead of the built-in `qwen`\n"
    )
    assert shelf.text("qwen") == NEW
    assert (shelf.places.shipped / "qwen.toml").read_text() == QWEN


def test_every_mistake_is_reported_and_the_text_is_kept(shelf: Shelf, editor: Editor) -> None:
    path = shelf.put("mine", QWEN)
    editor(BROKEN)

    with pytest.raises(NotSaved) as caught:
        shelf.run("edit", "mine")

    assert caught.value.exit_code == 2
    assert isinstance(caught.value.why, ProfileMistakes)
    assert [str(one).partition(";")[0] for one in caught.value.why.mistakes] == [
        f'{path}:11: aws.region: no AWS region named "us-west-22"',
        f"{path}:12: aws.tirs: unknown key",
    ]
    assert caught.value.hint == (
        f"your changes are kept in `{draft(shelf)}`; continue with `openclaude profiles edit mine`"
    )
    assert [entry["code"] for entry in caught.value.entries()] == [
        "profile-invalid",
        "profile-invalid",
        "profile-not-saved",
    ]
    assert (shelf.text("mine"), draft(shelf).read_text()) == (QWEN, BROKEN)


def test_the_next_edit_goes_on_with_what_was_kept(
    shelf: Shelf, editor: Editor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.put("mine", QWEN)
    editor(BROKEN, NEW)
    with pytest.raises(NotSaved):
        shelf.run("edit", "mine")
    assert f"unfinished: {draft(shelf)}: continue with" in shelf.run("list").text

    shelf.run("edit", "mine")

    assert seen(tmp_path) == [QWEN, BROKEN]
    assert (shelf.text("mine"), shelf.names()) == (NEW, ["mine.toml"])
    assert capsys.readouterr().err == (
        f"note: continuing with your earlier changes from `{draft(shelf)}`\n"
    )


def test_a_text_that_was_kept_says_when_the_profile_has_changed_since(
    shelf: Shelf, editor: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.put("mine", QWEN)
    editor(BROKEN, NEW)
    with pytest.raises(NotSaved):
        shelf.run("edit", "mine")
    shelf.put("mine", QWEN + "# more\n")

    shelf.run("edit", "mine")

    assert capsys.readouterr().err == (
        f"note: continuing with your earlier changes from `{draft(shelf)}`; "
        "the profile has changed since then\n"
    )


def test_what_a_killed_edit_has_left_is_found_and_no_other_ones(
    shelf: Shelf, editor: Editor, tmp_path: Path, other: int
) -> None:
    shelf.put("mine", QWEN)
    draft(shelf, pid=GONE).write_text(BROKEN)
    draft(shelf, pid=other).write_text("somebody is at it")
    draft(shelf, name="mine.too", pid=GONE).write_text("of another profile")
    editor(NEW)

    shelf.run("edit", "mine")

    assert seen(tmp_path) == [BROKEN]
    left = (draft(shelf, pid=other), draft(shelf, name="mine.too", pid=GONE))
    assert shelf.names() == [*(path.name for path in left), "mine.toml"]


def test_a_person_can_edit_again(
    shelf: Shelf, editor: Editor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.put("mine", QWEN)
    editor(BROKEN, NEW)
    shelf.answer("")

    shelf.run("edit", "mine")

    assert seen(tmp_path) == [QWEN, BROKEN]
    assert shelf.text("mine") == NEW
    assert "error: " in capsys.readouterr().err


def test_a_person_can_discard(shelf: Shelf, editor: Editor) -> None:
    shelf.put("mine", QWEN)
    editor(BROKEN)
    shelf.answer("discard")

    with pytest.raises(Discarded, match="discarded; `mine` is unchanged") as caught:
        shelf.run("edit", "mine")

    assert caught.value.exit_code == 1
    assert (shelf.text("mine"), shelf.names()) == (QWEN, ["mine.toml"])


def test_a_person_who_leaves_the_question_finds_the_text_again(
    shelf: Shelf, editor: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.put("mine", QWEN)
    editor(BROKEN)
    shelf.answer()

    with pytest.raises(KeyboardInterrupt):
        shelf.run("edit", "mine")

    assert draft(shelf).read_text() == BROKEN
    assert f"kept in `{draft(shelf)}`" in capsys.readouterr().err


@pytest.mark.parametrize("is_attended", [False, True])
def test_a_file_that_changed_meanwhile_is_not_overwritten(
    shelf: Shelf, editor: Editor, is_attended: bool
) -> None:
    path = shelf.put("mine", QWEN)
    editor(NEW, line=f"Path({str(path)!r}).write_text('schema = 1\\n')")
    if is_attended:
        shelf.answer("edit")

    with pytest.raises(NotSaved) as caught:
        shelf.run("edit", "mine")

    assert isinstance(caught.value.why, ChangedMeanwhile)
    assert caught.value.exit_code == 1
    assert caught.value.message == f"`{path}` was changed by another program meanwhile"
    assert f"kept in `{draft(shelf)}`" in caught.value.hint
    assert (shelf.text("mine"), draft(shelf).read_text()) == ("schema = 1\n", NEW)


def test_a_users_file_that_appeared_meanwhile_is_not_overwritten(
    shelf: Shelf, editor: Editor
) -> None:
    editor(NEW, line=f"Path({str(shelf.folder / 'qwen.toml')!r}).write_text('schema = 1\\n')")

    with pytest.raises(NotSaved, match="changed by another program meanwhile"):
        shelf.run("edit", "qwen")

    assert shelf.text("qwen") == "schema = 1\n"


def test_an_editor_that_fails_changes_nothing_and_its_text_is_kept(
    shelf: Shelf, editor: Editor
) -> None:
    shelf.put("mine", QWEN)
    editor(NEW, status=3)

    with pytest.raises(NotSaved) as caught:
        shelf.run("edit", "mine")

    assert isinstance(caught.value.why, EditorFailed)
    assert caught.value.exit_code == 1
    assert caught.value.message.endswith("exited with 3; nothing changed")
    assert f"kept in `{draft(shelf)}`" in caught.value.hint
    assert (shelf.text("mine"), draft(shelf).read_text()) == (QWEN, NEW)


@pytest.mark.parametrize(
    ("line", "status", "end"),
    [("", 3, "exited with 3; nothing changed"), ("draft.unlink()", 0, "no file; nothing changed")],
)
def test_an_editor_that_fails_without_a_text_leaves_nothing(
    shelf: Shelf, editor: Editor, line: str, status: int, end: str
) -> None:
    shelf.put("mine", QWEN)
    editor(line=line, status=status)

    with pytest.raises(EditorFailed) as caught:
        shelf.run("edit", "mine")

    assert caught.value.message.endswith(end)
    assert (shelf.names(), caught.value.hint) == (["mine.toml"], "")


def test_an_editor_that_is_not_there_is_named(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("mine", QWEN)
    shelf.env = {"EDITOR": f"{tmp_path}/editor --wait"}

    with pytest.raises(EditorFailed) as caught:
        shelf.run("edit", "mine")

    assert caught.value.message == (
        f"cannot run the editor `{tmp_path}/editor`: no such file or directory"
    )
    assert caught.value.hint == "name one with VISUAL or EDITOR"
    assert shelf.names() == ["mine.toml"]


def test_a_file_that_is_no_text_can_be_mended(shelf: Shelf, editor: Editor) -> None:
    (shelf.folder / "mine.toml").write_bytes(b"\xff\xfe broken")
    editor(NEW, line="")
    script = Path(shlex.split(shelf.env["VISUAL"])[1])
    script.write_text(script.read_text().replace("read_text() + '|'", "read_text('latin-1')"))

    shelf.run("edit", "mine")

    assert shelf.text("mine") == NEW


def test_an_unknown_profile_is_not_edited(shelf: Shelf) -> None:
    with pytest.raises(UnknownProfile, match="no profile named `qwem`"):
        shelf.run("edit", "qwem")


@pytest.mark.parametrize(
    ("env", "command"),
    [
        ({"EDITOR": "nano -w"}, ("nano", "-w")),
        ({"VISUAL": "code --wait", "EDITOR": "nano"}, ("code", "--wait")),
        ({"VISUAL": " ", "EDITOR": "'my editor' \"$HOME\""}, ("my editor", "$HOME")),
    ],
)
def test_visual_comes_before_editor_and_no_shell_reads_them(
    env: dict[str, str], command: tuple[str, ...]
) -> None:
    assert find_editor(env) == command


def test_vi_is_for_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="needs a terminal, or an editor in VISUAL or EDITOR"):
        find_editor({})

    monkeypatch.setattr(edit, "is_attended", lambda: True)
    assert find_editor({"EDITOR": ""}) == ("vi",)


def test_an_editor_that_is_no_command_line_is_refused_by_its_variable() -> None:
    with pytest.raises(UsageError) as caught:
        find_editor({"EDITOR": "nano '"})

    assert caught.value.message == "EDITOR: cannot be split into words: no closing quotation"


def test_a_draft_belongs_to_a_process_that_runs(other: int) -> None:
    assert (is_edited(other), is_edited(GONE), is_edited(os.getpid())) == (True, False, False)


def test_a_link_is_edited_through(shelf: Shelf, editor: Editor, tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(QWEN)
    (shelf.folder / "mine.toml").symlink_to(target)
    editor(NEW)

    shelf.run("edit", "mine")

    assert (shelf.folder / "mine.toml").is_symlink()
    assert target.read_text() == NEW


def test_a_folder_that_cannot_be_written_keeps_the_text(
    shelf: Shelf, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("mine", QWEN)
    editor(NEW)

    def refuse(*_: object) -> None:
        raise OpenclaudeError("cannot write", hint="free some space")

    monkeypatch.setattr("openclaude.commands.profiles.edit.save", refuse)
    with pytest.raises(OpenclaudeError) as caught:
        shelf.run("edit", "mine")

    assert caught.value.hint.startswith("free some space\nyour changes are kept in `")
    assert (shelf.text("mine"), draft(shelf).read_text()) == (QWEN, NEW)
