"""Where each statement of a TOML text begins and ends, so that one can be changed alone.

Knows: the place of keys, values and headers. Independent of: what they mean, how they are changed.
Like `locate`, it trusts the text: only what tomlkit has parsed is given to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from openclaude.diagnostics import Key
from openclaude.profile.toml.scanner import SPACE, Locator


class Pair(NamedTuple):
    """One `key = value`."""

    key: Key  # from the root
    section: Key  # the table it stands in; what is written is the rest of the key
    is_inline: bool  # inside `{ ... }`
    start: int
    key_end: int
    value: int
    end: int


class Header(NamedTuple):
    """One `[table]`."""

    key: Key
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The statements of one text, in their order."""

    text: str
    pairs: tuple[Pair, ...]  # those inside an inline table follow the pair that holds it
    headers: tuple[Header, ...]

    def pair(self, key: Key) -> Pair | None:
        """The statement that gives `key` its value."""
        return next((pair for pair in self.pairs if pair.key == key), None)

    def header(self, key: Key) -> Header | None:
        """The header that opens the table `key`."""
        return next((header for header in self.headers if header.key == key), None)

    def lines_under(self, key: Key) -> Iterator[Pair]:
        """The statements on lines of their own that say something at or under `key`."""
        return (pair for pair in self.pairs if not pair.is_inline and is_under(pair.key, key))

    def last_of(self, header: Header) -> int:
        """The end of the last statement that belongs to a header."""
        following = self.next_header(header)
        stop = following.start if following else len(self.text)
        ends = [pair.end for pair in self.pairs if header.start < pair.start < stop]
        return max([header.end, *ends])

    def next_header(self, header: Header) -> Header | None:
        """The header after this one."""
        return next((other for other in self.headers if other.start > header.start), None)


def is_under(key: Key, above: Key) -> bool:
    """Whether `key` is `above` or inside it."""
    return key[: len(above)] == above


def find_layout(text: str) -> Layout:
    """The statements of a text that is TOML."""
    return Scanner(text).find()


@dataclass
class FoundStatement:
    """What a scanner has met so far."""

    pairs: list[Pair] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    depth: int = 0  # of inline tables


class Scanner(Locator):
    """One pass over one text that remembers where statements end."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.found = FoundStatement()

    def find(self) -> Layout:
        """Read to the end."""
        self.run()
        pairs = sorted(self.found.pairs, key=lambda pair: pair.start)
        return Layout(text=self.text, pairs=tuple(pairs), headers=tuple(self.found.headers))

    def read_header(self) -> Key:
        start = self.at
        key = super().read_header()
        self.found.headers.append(Header(key=key, start=start, end=self.at))
        return key

    def read_pair(self, table: Key) -> None:
        start = self.at
        key = self.read_key()
        key_end = start + len(self.text[start : self.at].rstrip())
        self.at += 1  # the equals sign
        self.skip(SPACE)
        value = self.at
        self.read_value((*table, *key))
        end = value + len(self.text[value : self.at].rstrip())
        is_inline = self.found.depth > 0
        self.found.pairs.append(
            Pair(
                key=(*table, *key),
                section=table,
                is_inline=is_inline,
                start=start,
                key_end=key_end,
                value=value,
                end=end,
            )
        )

    def read_inline_table(self, key: Key) -> None:
        self.found.depth += 1
        super().read_inline_table(key)
        self.found.depth -= 1
