"""The text of AWS's two files, changed in one section and nowhere else.

Knows: lines as Python's configparser reads them, which is what botocore uses. Independent of: what
a section is for, disks. Comments, order, spacing, nested blocks and line ends of everything else
stay as they are, byte for byte.
"""

from __future__ import annotations

import configparser
import io
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

COMMENTS = ("#", ";")
FIRST_LINE = re.compile(r"(?P<before>\s*[^=:]*?\s*[=:][^\S\r\n]*)(?P<value>.*?)(?P<end>\s*)", re.S)
Values = Mapping[str, str | None]  # None: not there


class Option(NamedTuple):
    """A key with its value, which may continue on further lines."""

    name: str
    start: int
    end: int  # the line behind its last one
    indent: str


class Section(NamedTuple):
    """A section header and its lines."""

    name: str
    start: int
    end: int
    options: tuple[Option, ...]


def split_lines(text: str) -> list[str]:
    """The lines with their line endings, as files split them; `splitlines` splits at more."""
    return list(io.StringIO(text, newline=""))


def find_sections(text: str) -> list[Section]:
    """Every section, as configparser finds them."""
    lines = split_lines(text)
    found: list[Section] = []
    level = 0
    for number, line in enumerate(lines):
        value = line.strip()
        if not value or value.startswith(COMMENTS):
            continue
        indent = line[: len(line) - len(line.lstrip())]
        last = found[-1] if found else None
        if last and last.options and len(indent) > level:
            found[-1] = longer(last, number)
            continue
        level = len(indent)
        header = configparser.RawConfigParser.SECTCRE.match(value)
        if header:
            found.append(Section(name=header["header"], start=number, end=number + 1, options=()))
        elif last:
            found[-1] = with_option(last, value, number, indent)
    return found


def longer(section: Section, number: int) -> Section:
    """The section whose last option continues on another line."""
    *others, last = section.options
    return section._replace(options=(*others, last._replace(end=number + 1)), end=number + 1)


def with_option(section: Section, value: str, number: int, indent: str) -> Section:
    """The section with one more option."""
    match = configparser.RawConfigParser.OPTCRE.match(value)
    name = match["option"].rstrip().lower() if match else ""
    option = Option(name=name, start=number, end=number + 1, indent=indent)
    return section._replace(options=(*section.options, option), end=number + 1)


def change_section(text: str, header: str, values: Values) -> str:
    """The text with these values in that section, which is added if it is missing."""
    section = next((one for one in find_sections(text) if one.name == header), None)
    if section is None:
        return append_section(text, header, values)
    lines = split_lines(text)
    newline = line_end(text)
    by_name = {option.name: option for option in section.options}
    missing = {key: value for key, value in values.items() if value and key not in by_name}
    indent = section.options[-1].indent if section.options else ""
    lines[section.end - 1 : section.end] = [
        *ended(lines[section.end - 1 : section.end], newline if missing else ""),
        *(f"{indent}{key} = {value}{newline}" for key, value in missing.items()),
    ]
    for option in reversed(section.options):
        if option.name in values:
            old = lines[option.start : option.end]
            lines[option.start : option.end] = replace_value(old, values[option.name])
    return "".join(lines)


def ended(lines: list[str], newline: str) -> Iterator[str]:
    """The same lines, each with an end."""
    return (line if line.endswith(("\n", "\r")) else line + newline for line in lines)


def replace_value(lines: list[str], value: str | None) -> list[str]:
    """The lines of an option with another value; the rest of its first line is unchanged."""
    if value is None:
        return []
    first = FIRST_LINE.fullmatch(lines[0])
    if not first or (len(lines) == 1 and first["value"] == value):
        return lines
    space = " " if first["before"].endswith(" =") else ""  # a value that began in the next line
    return [f"{first['before']}{space}{value}{first['end']}"]


def append_section(text: str, header: str, values: Values) -> str:
    """The text with one more section at its end, after a blank line."""
    options = {key: value for key, value in values.items() if value}
    if not options:
        return text
    newline = line_end(text)
    gap = "" if not text else newline if text.endswith(("\n", "\r")) else newline * 2
    lines = [f"[{header}]", *(f"{key} = {value}" for key, value in options.items())]
    return text + gap + "".join(line + newline for line in lines)


def line_end(text: str) -> str:
    """The text's line ending."""
    return "\r\n" if "\r\n" in text else "\n"
