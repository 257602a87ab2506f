"""`openclaude profiles edit`: a profile in the user's editor, saved only if it is valid.

Knows: the steps, and the draft that the editor is given. Independent of: the rules of a profile.
The draft lies beside the profile, `.NAME.PID.BASE.draft.toml`, BASE being a hash of the profile
when editing began: typed text survives a mistake, a crash and a lost terminal, and the next `edit`
continues with it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.profiles.store import Kept, find_kept, save, user_path, writing
from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import write_private
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.prompt import ask, is_attended, tell

if TYPE_CHECKING:
    from openclaude.profile.library import Library

DRAFT = re.compile(r"\.(?P<name>.+)\.(?P<pid>[0-9]+)\.(?P<base>[0-9a-f]{8})\.draft\.toml")


class EditorFailed(OpenclaudeError):
    """The editor could not be run, or failed."""

    code = "editor-failed"


class ChangedMeanwhile(OpenclaudeError):
    """The profile was changed while it was being edited."""

    code = "profile-changed"


class Discarded(OpenclaudeError):
    """The user discarded the changes."""

    code = "discarded"


class NotSaved(OpenclaudeError):
    """Why the changes were not saved, and where the draft is."""

    code = "profile-not-saved"

    def __init__(self, why: OpenclaudeError, draft: Path, name: str) -> None:
        self.why = why
        self.exit_code = why.exit_code
        self.draft = draft
        self.kept = f"your changes are kept in `{draft}`"
        self.go_on = f"continue with `openclaude profiles edit {name}`"
        hints = [why.hint] if why.hint else []
        super().__init__(why.message, hint="\n".join([*hints, f"{self.kept}; {self.go_on}"]))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong, then where the draft is."""
        where = Diagnostic(
            code=self.code,
            severity=Severity.ERROR,
            message=self.kept,
            fix=self.go_on,
            location=Location(path=self.draft),
        )
        return (*self.why.diagnostics, where)


def edit_profile(places: Places, library: Library, name: str, env: Mapping[str, str]) -> Result:
    """Let the user edit a profile, and save it when it is valid."""
    kept = find_kept(places, library, name)
    command = find_editor(env)
    path = user_path(places, name)
    draft = make_draft(places, kept)
    while True:
        content = run_editor(command, draft, kept, env)
        if content == kept.content:
            draft.unlink()
            data = {"name": name, "path": str(path), "changed": False, "notes": []}
            return Result(text="nothing changed\n", data=data)
        try:
            save_draft(places, library, kept, content, env)
        except OpenclaudeError as error:
            settle_mistakes(error, draft, name)
        else:
            draft.unlink()
            return edited(kept, path)


def edited(kept: Kept, path: Path) -> Result:
    """What was done."""
    notes = [f"`{path}` is used instead of the built-in `{kept.name}`"] if kept.is_shipped else []
    text = "".join(f"{line}\n" for line in (f"saved `{path}`", *(f"note: {one}" for one in notes)))
    data = {"name": kept.name, "path": str(path), "changed": True, "notes": notes}
    return Result(text=text, data=data)


def save_draft(
    places: Places, library: Library, kept: Kept, content: bytes, env: Mapping[str, str]
) -> None:
    """Replace the profile with the draft, if it is valid and the profile is unchanged.

    Raises ChangedMeanwhile.

    """
    from openclaude.profile.author.drafts import judge_draft
    from openclaude.profile.read.document import decode_text

    path = user_path(places, kept.name)
    judge_draft(library, kept.name, path, content, env)
    with writing(places):
        if find_kept(places, library, kept.name) != kept:
            raise ChangedMeanwhile(f"`{path}` was changed by another program meanwhile")
        save(path, kept.same_mark(decode_text(path, content)))


def settle_mistakes(error: OpenclaudeError, draft: Path, name: str) -> None:
    """Ask whether to continue with a draft that cannot be saved. Raises without a terminal."""
    if not is_attended() or isinstance(error, ChangedMeanwhile):
        raise NotSaved(why=error, draft=draft, name=name) from error
    tell("".join(f"error: {line}\n" for line in error.lines))
    try:
        answer = ask("edit again, or discard what you typed? (edit or discard)", "edit")
    except KeyboardInterrupt:
        tell(f"kept in `{draft}`\n")
        raise
    if answer.lower() in {"d", "discard"}:
        draft.unlink()
        raise Discarded(f"discarded; `{name}` is unchanged")


# --- the draft


def make_draft(places: Places, kept: Kept) -> Path:
    """A draft for the editor, or the one left by an earlier edit."""
    base = hashlib.sha256(kept.content).hexdigest()[:8]
    draft = places.profiles / f".{kept.name}.{os.getpid()}.{base}.draft.toml"
    with writing(places):
        for left in left_drafts(places.profiles, kept.name):
            with suppress(FileNotFoundError):
                left.rename(draft)
                since = "" if f".{base}." in left.name else "; the profile has changed since then"
                tell(f"note: continuing with your earlier changes from `{left}`{since}\n")
                return draft
        unfinished = draft.with_suffix(".tmp")
        write_private(unfinished, "")  # for its mode
        unfinished.write_bytes(kept.content)  # which may not be UTF-8: the editor must show it
        unfinished.rename(draft)
    return draft


def left_drafts(folder: Path, name: str | None = None) -> list[Path]:
    """The drafts whose editor has ended, the newest first; of one profile or of all."""
    matches = ((path, DRAFT.fullmatch(path.name)) for path in folder.glob(".*.draft.toml"))
    found = [
        path
        for path, match in matches
        if match and name in (None, match["name"]) and not is_edited(int(match["pid"]))
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def is_edited(pid: int) -> bool:
    """Whether the process that made a draft still runs, and is not this one."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


# --- the editor


def find_editor(env: Mapping[str, str]) -> tuple[str, ...]:
    """VISUAL, then EDITOR, then `vi`; split as a shell would, and run without one.

    Raises UsageError.
    """
    variable = next((one for one in ("VISUAL", "EDITOR") if env.get(one, "").strip()), "")
    if not variable and not is_attended():  # `vi` would wait for keys that nobody can press
        raise UsageError(
            "`openclaude profiles edit` needs a terminal, or an editor in VISUAL or EDITOR",
            hint="or change single keys: `openclaude profiles set NAME KEY=VALUE`",
        )
    try:
        return tuple(shlex.split(env[variable])) if variable else ("vi",)
    except ValueError as error:
        raise UsageError(
            f"{variable}: cannot be split into words: {str(error).lower()}",
            hint='for example `EDITOR="code --wait"`',
        ) from None


def run_editor(command: tuple[str, ...], draft: Path, kept: Kept, env: Mapping[str, str]) -> bytes:
    """The draft's content after the editor has exited.

    Raises EditorFailed or NotSaved.

    """
    import subprocess

    from openclaude.profile.read.document import read_bytes

    try:
        with careless_of_interrupts():
            done = subprocess.run((*command, str(draft)), env=dict(env), check=False)
    except OSError as error:
        forget_unchanged(draft, kept)
        raise EditorFailed(
            f"cannot run the editor `{command[0]}`: {(error.strerror or '').lower()}",
            hint="name one with VISUAL or EDITOR",
        ) from error
    content = read_bytes(draft)
    if done.returncode != 0 or content is None:
        raise editor_failed(command[0], done.returncode, draft, kept)
    return content


def editor_failed(editor: str, status: int, draft: Path, kept: Kept) -> OpenclaudeError:
    """The error for an editor that failed or removed the draft."""
    error = EditorFailed(f"the editor `{editor}` {how_it_ended(status)}; nothing changed")
    is_kept = not forget_unchanged(draft, kept)
    return NotSaved(why=error, draft=draft, name=kept.name) if is_kept else error


def how_it_ended(status: int) -> str:
    """How an editor failed."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"exited with {status}" if status else "has left no file"


def forget_unchanged(draft: Path, kept: Kept) -> bool:
    """Remove a draft equal to the profile; return whether no draft is left."""
    try:
        if draft.read_bytes() == kept.content:
            draft.unlink()
    except FileNotFoundError:
        return True
    return not draft.exists()


@contextmanager
def careless_of_interrupts() -> Iterator[None]:
    """Ctrl-C in an editor is the editor's; ignored for good, its own would be ignored too."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
