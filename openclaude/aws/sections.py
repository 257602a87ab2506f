"""The sections of AWS's two files, as botocore 1.44 reads them.

Knows: how the files are parsed, how a header names a profile or a session. Must not depend on what
is in a section, nor on where the files are. Standard library only: it is imported at launches.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

Section = Mapping[str, str]
Sections = Mapping[str, Section]  # by header


class UnreadableFile(Exception):
    """A file that botocore cannot parse either; the message says why."""


def read_sections(path: Path) -> dict[str, dict[str, str]]:
    """The sections of a file; empty if there is none. Raises UnreadableFile."""
    import configparser  # here: a launch without Bedrock has no use for it

    parser = configparser.RawConfigParser()
    if not path.is_file():
        return {}
    try:
        parser.read([path])
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UnreadableFile(explain(error)) from error
    return {section: dict(parser.items(section)) for section in parser.sections()}


def explain(error: Exception) -> str:
    """Which line is wrong, but not its text, which may contain a secret."""
    import configparser

    match error:
        case configparser.DuplicateOptionError():
            return f"line {error.lineno}: `{error.option}` appears twice"
        case configparser.DuplicateSectionError():
            return f"line {error.lineno}: the section `{error.section}` appears twice"
        case configparser.MissingSectionHeaderError():
            return f"line {error.lineno} comes before any `[section]`"
        case configparser.ParsingError() if error.errors:
            return f"line {error.errors[0][0]} is not `key = value`"
        case _:
            return "it is not UTF-8 text"


def header_name(header: str, kind: str) -> str | None:
    """NAME of the config file's `[KIND NAME]`, in any of its spellings; None for other headers."""
    if (kind, header) == ("profile", "default"):
        return header
    words = split_words(header) if header.startswith(kind) else []
    return words[1] if len(words) == 2 else None


def of_kind(kind: str, sections: Sections) -> dict[str, Section]:
    """The sections `[KIND NAME]` of the config file, by name; of several the last."""
    named = [(header_name(header, kind), header) for header in sections]
    return {name: sections[header] for name, header in named if name is not None}


def find_header(sections: Sections, kind: str, name: str) -> str:
    """The existing header (the last of several, as botocore reads), or a new one."""
    found = [header for header in sections if header_name(header, kind) == name]
    return found[-1] if found else write_header(kind, name)


def write_header(kind: str, name: str) -> str:
    """The header of a new section of the config file."""
    return "default" if (kind, name) == ("profile", "default") else f"{kind} {shlex.quote(name)}"


def split_words(text: str) -> list[str]:
    """The words of a line, as a shell reads them; none of a line that it cannot read."""
    try:
        return shlex.split(text)
    except ValueError:
        return []
