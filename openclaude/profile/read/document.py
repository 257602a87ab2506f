"""One profile file, read: its values, the line of each key, what it was when it was read.

Knows: files, TOML. Independent of: what the keys mean, other files.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError, UnexpectedCharError

from openclaude.diagnostics import Key
from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile, locate, mistake
from openclaude.profile.toml.scanner import locate_keys

LARGEST_FILE = 1 << 20
PAIR = 'a line is `key = value`, with text in quotes: `model = "claude"`'


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed profile file."""

    path: Path
    values: dict[str, Any]
    lines: dict[Key, int]
    sha256: str

    def line_of(self, key: Key) -> int:
        """The line of `key`, or of the nearest table around it; 1 where the file has neither."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def read_document(path: Path) -> Document | None:
    """The file at `path`, or None where nothing has that name."""
    content = read_bytes(path)
    if content is None:
        return None
    return text_document(path, decode_text(path, content), content)


def text_document(path: Path, text: str, content: bytes | None = None) -> Document:
    """A text as if it were the file at `path`. Raises ProfileMistakes."""
    return Document(
        path=path,
        values=parse(path, text),
        lines=locate_keys(text),
        sha256=hashlib.sha256(text.encode() if content is None else content).hexdigest(),
    )


def read_bytes(path: Path) -> bytes | None:
    """The content of a regular file of reasonable size. Raises UnreadableProfile."""
    try:
        # without O_NONBLOCK, opening a FIFO would wait for a writer
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if is_absent(path, error):
            return None
        raise UnreadableProfile(path, describe_os_error(error)) from error
    try:
        check_regular(path, os.fstat(descriptor).st_mode)
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UnreadableProfile(path, describe_os_error(error)) from error
    finally:
        os.close(descriptor)
    if len(content) > LARGEST_FILE:
        raise UnreadableProfile(path, "it is larger than 1 MiB")
    return content


def check_regular(path: Path, mode: int) -> None:
    """Refuse everything but regular files: directories, FIFOs, devices.

    Raises UnreadableProfile.
    """
    if not stat.S_ISREG(mode):
        why = "it is a directory" if stat.S_ISDIR(mode) else "it is not a regular file"
        raise UnreadableProfile(path, why)


def is_absent(path: Path, error: OSError) -> bool:
    """Whether the path does not exist; a broken link does exist."""
    return error.errno in (errno.ENOENT, errno.ENOTDIR) and not path.is_symlink()


def describe_os_error(error: OSError) -> str:
    """The system's error as a phrase."""
    if error.errno == errno.ENOENT:
        return "it is a broken link"
    if error.errno == errno.ENXIO:
        return "it is not a regular file"  # a socket
    return (error.strerror or str(error)).lower()


def decode_text(path: Path, content: bytes) -> str:
    """UTF-8, as TOML demands; a byte order mark is passed over. Raises UnreadableProfile."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableProfile(
            path, f"line {line} is not UTF-8", hint="save it as UTF-8"
        ) from error


def parse(path: Path, text: str) -> dict[str, Any]:
    """The values of a TOML text as plain Python ones. Raises ProfileMistakes."""
    try:
        return tomlkit.parse(text).unwrap()
    except (TOMLKitError, ValueError) as error:
        line, column = find_position(text, error)
        fix = PAIR if isinstance(error, UnexpectedCharError) else ""
        found = mistake((), explain(error, text), fix=fix)
        raise ProfileMistakes([locate(found, path, line, column)]) from error


def find_position(text: str, error: Exception) -> tuple[int, int]:
    """Line and column, from 1. Some of tomlkit's errors have none; tomllib's then help out."""
    if isinstance(error, ParseError):
        return error.line, error.col + 1
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as second:
        return position_in(str(second))
    return 1, 1


def position_in(message: str) -> tuple[int, int]:
    """The numbers of tomllib's `... (at line 3, column 7)`."""
    digits = "".join(letter if letter.isdigit() else " " for letter in message.rpartition("(")[2])
    numbers = [int(number) for number in digits.split()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (1, 1)


def explain(error: Exception, text: str) -> str:
    """What is wrong with the TOML, in a message's form."""
    said = str(error).partition(" at line ")[0].rstrip(".")
    if "'\\x00'" in said and "\x00" not in text:
        said = "unexpected end of the line or of the file"  # tomlkit's end is a NUL
    if not said[:2].isupper():
        said = said[:1].lower() + said[1:]
    return f"not TOML: {said}"
