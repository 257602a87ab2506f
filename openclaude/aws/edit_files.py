"""The user's two AWS files: read, shown as a diff without secrets, replaced atomically.

Knows: where they are, how they are checked, modes, backups. Independent of: what a profile
consists of. botocore's own parser reads a file before it is changed and again before it is
replaced, and must find all other sections as they were.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from openclaude.aws.ini import change_section
from openclaude.aws.sections import Sections, UnreadableFile, read_sections
from openclaude.aws.setup import Edit
from openclaude.errors import OpenclaudeError
from openclaude.files import FolderUnusable, make_folder, write_private

BACKUP = ".openclaude-backup"
SECRET_LINE = re.compile(
    r"(?im)^(?P<before>[^\S\n]*aws_(?:secret_access_key|session_token|security_token)\s*[=:]\s*)"
    r"(?P<value>.*)$"
)
HIDDEN = "****"
BY_HAND = "correct it by hand, then try again; nothing was changed"


class AwsFileUnusable(OpenclaudeError):
    """An AWS file that cannot be read, or cannot be changed safely."""

    code = "aws-file"


class AwsFile(NamedTuple):
    """One of the two files as it was read; `text` is "" where there is none."""

    kind: str  # config or credentials
    path: Path  # as it is named; a link stays one
    text: str
    sections: Sections

    @property
    def target(self) -> Path:
        """The file itself."""
        return self.path.resolve()


class FileChange(NamedTuple):
    """A file, and its new text."""

    file: AwsFile
    text: str
    sections: Sections

    def shown(self, home: Path) -> str:
        """The diff, with every secret hidden."""
        name = shown_path(self.file.path, home)
        secrets = {match["value"].strip() for match in SECRET_LINE.finditer(self.file.text)}
        old, new = (hide(text, secrets) for text in (self.file.text, self.text))
        before = name if self.file.text else "/dev/null"
        lines = difflib.unified_diff(old, new, before, name, lineterm="")
        return "".join(f"{line}\n" for line in lines)


def shown_path(path: Path, home: Path) -> str:
    """A path as users write it, with `~`."""
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def hide(text: str, known: set[str]) -> list[str]:
    """Lines without secrets; new secrets are marked differently from old ones."""

    def hidden(match: re.Match[str]) -> str:
        new = "" if match["value"].strip() in known else " (new)"
        return f"{match['before']}{HIDDEN}{new}"

    return SECRET_LINE.sub(hidden, text).splitlines()


def read_aws_file(kind: str, path: Path) -> AwsFile:
    """One file. Raises AwsFileUnusable if botocore could not read it either."""
    try:
        text = path.read_bytes().decode("utf-8")
        sections = read_sections(path.resolve())
    except FileNotFoundError:
        return AwsFile(kind=kind, path=path, text="", sections={})
    except (OSError, UnicodeDecodeError) as error:
        raise AwsFileUnusable(
            f"cannot read `{path}`: {getattr(error, 'strerror', None) or error}", hint=BY_HAND
        ) from error
    except UnreadableFile as error:
        raise AwsFileUnusable(
            f"AWS's own programs cannot read `{path}`: {error}", hint=BY_HAND
        ) from error
    if problem := check_with_botocore(path.resolve(), sections):
        raise AwsFileUnusable(f"AWS's own programs cannot read `{path}`: {problem}", hint=BY_HAND)
    return AwsFile(kind=kind, path=path, text=text, sections=sections)


def check_with_botocore(path: Path, sections: Sections) -> str:
    """Why the file must not be changed: botocore cannot read it, or reads something else."""
    from botocore.configloader import (
        load_config,
        raw_config_parse,
    )
    from botocore.exceptions import (
        ConfigNotFound,
        ConfigParseError,
    )

    try:
        load_config(str(path))  # nested blocks too
        found = raw_config_parse(str(path), parse_subsections=False)
    except (ConfigParseError, ConfigNotFound) as error:
        return str(error).splitlines()[0]
    return "" if found == sections else "it reads different values than openclaude does"


def plan_file_changes(files: Iterable[AwsFile], edits: tuple[Edit, ...]) -> list[FileChange]:
    """The new text of each file that the edits change."""
    changes = []
    for file in files:
        text = file.text
        sections = {name: dict(values) for name, values in file.sections.items()}
        for edit in edits:
            if edit.file == file.kind:
                text = change_section(text, edit.header, edit.values)
                kept = {**sections.get(edit.header, {}), **edit.values}
                sections[edit.header] = {key: one for key, one in kept.items() if one is not None}
        if text != file.text:
            wanted = {name: one for name, one in sections.items() if one or name in file.sections}
            changes.append(FileChange(file=file, text=text, sections=wanted))
    return changes


def apply(change: FileChange) -> Path | None:
    """Replace the file if it is unchanged, and return the path of the backup, if any.

    Raises AwsFileUnusable or FolderUnusable; then the file is unchanged.
    """
    target = change.file.target
    fresh = target.with_name(f".{target.name}.openclaude-new")
    try:
        make_folder(target.parent)
        write_private(fresh, change.text)
        check(change, fresh)
        backup = keep(change.file)
        os.replace(fresh, target)  # noqa: PTH105 - as `run.files` does
    except OSError as error:
        raise FolderUnusable(
            f"cannot write `{target}`: {error.strerror or error}",
            hint="make the directory writable, then try again; nothing was changed",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    return backup


def check(change: FileChange, fresh: Path) -> None:
    """Raise AwsFileUnusable unless the new text is as intended and the old file unchanged."""
    try:
        sections = read_sections(fresh)
        is_as_wanted = sections == change.sections and not check_with_botocore(fresh, sections)
    except UnreadableFile:
        is_as_wanted = False
    if not is_as_wanted:
        raise AwsFileUnusable(
            f"`{change.file.path}` is written in a way that openclaude cannot change safely",
            hint="make the change by hand; nothing was changed",
        )
    if read_aws_file(change.file.kind, change.file.path).text != change.file.text:
        raise AwsFileUnusable(
            f"`{change.file.path}` was changed by another program meanwhile",
            hint="look at it, then try again; nothing was changed",
        )


def keep(file: AwsFile) -> Path | None:
    """Save the old text beside the file, 0600, replacing the last backup."""
    if not file.text:
        return None
    backup = file.target.with_name(f"{file.target.name}{BACKUP}")
    write_private(backup, file.text)
    return backup
