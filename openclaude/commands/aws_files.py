"""The user's two AWS files: read, shown as a difference without secrets, replaced whole.

Knows: where they are, how they are checked, modes, backups. Refuses to know: what a profile
consists of. botocore's own parser reads a file before it is changed and again before it is
replaced, and must find all other sections as they were.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from openclaude.aws.ini import change_section
from openclaude.aws.setup import Edit, Sections
from openclaude.errors import OpenclaudeError
from openclaude.run.files import FolderUnusable, make_folder, write_private

BACKUP = ".openclaude-backup"
SECRET_LINE = re.compile(
    r"(?im)^(?P<before>[^\S\n]*aws_(?:secret_access_key|session_token|security_token)\s*[=:]\s*)"
    r"(?P<value>.*)$"
)
HIDDEN = "****"


class AwsFileUnusable(OpenclaudeError):
    """A file of AWS's that cannot be read, or cannot be changed without harm."""

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


class Change(NamedTuple):
    """A file, and what it shall say."""

    file: AwsFile
    text: str
    sections: Sections

    def shown(self, home: Path) -> str:
        """The difference, with every secret hidden."""
        name = shown_path(self.file.path, home)
        secrets = {match["value"].strip() for match in SECRET_LINE.finditer(self.file.text)}
        old, new = (hide(text, secrets) for text in (self.file.text, self.text))
        before = name if self.file.text else "/dev/null"
        lines = difflib.unified_diff(old, new, before, name, lineterm="")
        return "".join(f"{line}\n" for line in lines)


def shown_path(path: Path, home: Path) -> str:
    """A path as people write it."""
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def hide(text: str, known: set[str]) -> list[str]:
    """Lines without secrets; one that was not there before can be told from one that was."""

    def hidden(match: re.Match[str]) -> str:
        new = "" if match["value"].strip() in known else " (new)"
        return f"{match['before']}{HIDDEN}{new}"

    return SECRET_LINE.sub(hidden, text).splitlines()


def find_paths(env: Mapping[str, str], home: Path) -> dict[str, Path]:
    """Where botocore looks for the two files."""
    return {
        "config": find_path(env.get("AWS_CONFIG_FILE"), home, "config"),
        "credentials": find_path(env.get("AWS_SHARED_CREDENTIALS_FILE"), home, "credentials"),
    }


def find_path(named: str | None, home: Path, name: str) -> Path:
    """The file that a variable names, else the one of that name in ~/.aws."""
    if not named:
        return home / ".aws" / name
    if named.startswith("~/"):
        return home / named[2:]
    return Path(named).absolute()


def read(kind: str, path: Path) -> AwsFile:
    """One file. Raises AwsFileUnusable for one that botocore could not use either."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return AwsFile(kind, path, "", {})
    except (OSError, UnicodeDecodeError) as error:
        raise AwsFileUnusable(
            f"cannot read `{path}`: {getattr(error, 'strerror', None) or error}",
            hint="mend it by hand, then try again; nothing was changed",
        ) from error
    return AwsFile(kind, path, text, parse(path.resolve(), path))


def parse(path: Path, shown: Path) -> Sections:
    """What a file says, read by botocore. Raises AwsFileUnusable."""
    from botocore.configloader import (  # type: ignore[import-untyped]
        load_config,
        raw_config_parse,
    )
    from botocore.exceptions import (  # type: ignore[import-untyped]
        ConfigNotFound,
        ConfigParseError,
    )

    try:
        load_config(str(path))  # nested blocks too
        found: Sections = raw_config_parse(str(path), parse_subsections=False)
    except (ConfigParseError, ConfigNotFound) as error:
        raise AwsFileUnusable(
            f"botocore cannot read `{shown}`: {error}".splitlines()[0],
            hint="mend it by hand, then try again; nothing was changed",
        ) from error
    return found


def plan_changes(files: Iterable[AwsFile], edits: tuple[Edit, ...]) -> list[Change]:
    """What the edits make of the files, for those that they change."""
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
            changes.append(Change(file, text, wanted))
    return changes


def apply(change: Change) -> Path | None:
    """Replace the file, if it is still as it was; where its old text is kept, if it had one.

    Raises AwsFileUnusable or FolderUnusable, and then the file is as it was.
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
            hint="make the folder writable, then try again; nothing was changed",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    return backup


def check(change: Change, fresh: Path) -> None:
    """Raise AwsFileUnusable unless the new file says what it shall and the old one is unchanged."""
    try:
        is_as_wanted = parse(fresh, fresh) == change.sections
    except AwsFileUnusable:
        is_as_wanted = False
    if not is_as_wanted:
        raise AwsFileUnusable(
            f"`{change.file.path}` is written in a way that openclaude cannot change safely",
            hint="make the change by hand; nothing was changed",
        )
    if read(change.file.kind, change.file.path).text != change.file.text:
        raise AwsFileUnusable(
            f"`{change.file.path}` was changed by somebody else meanwhile",
            hint="look at it, then try again; nothing was changed",
        )


def keep(file: AwsFile) -> Path | None:
    """The old text beside the file, 0600, over that of the last time."""
    if not file.text:
        return None
    backup = file.target.with_name(f"{file.target.name}{BACKUP}")
    write_private(backup, file.text)
    return backup
