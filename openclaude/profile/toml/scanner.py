"""Where each key of a TOML document is written.

Knows: enough of TOML's syntax to find keys. Independent of: values, which tomlkit reads, and
which carry no line there. It trusts the text: only what tomlkit has parsed is given to it.
"""

from __future__ import annotations

import re

from openclaude.diagnostics import Key

BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
SPACE = re.compile(r"[ \t]*")
BARE_KEY = re.compile(r"[^\s.=\[\]{}#\"',]+")
# A multi-line string may end in up to two quotes of its own before the closing three.
STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2}(?!"))'
    r"|'''.*?'''(?:'{0,2}(?!'))"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
SCALAR = re.compile(r"[^,\]}#\n]*")
ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def locate_keys(text: str) -> dict[Key, int]:
    """The line, from 1, on which each key, table and array element of `text` first stands."""
    return Locator(text).run()


class Locator:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Key, int] = {}
        self.arrays: dict[Key, int] = {}  # arrays of tables: the position of the last element
        self._counted_to = 0
        self._line = 1

    def run(self) -> dict[Key, int]:
        """Read headers and pairs up to the end."""
        table: Key = ()
        self.skip(BLANK)
        while self.at < len(self.text):
            if self.peek() == "[":
                table = self.read_header()
            else:
                self.read_pair(table)
            self.skip(BLANK)
        return self.lines

    def read_header(self) -> Key:
        """`[a.b]` or `[[a.b]]`: the table that the following pairs belong to."""
        start = self.at
        depth = 2 if self.text.startswith("[[", start) else 1
        self.at += depth
        key = self.resolve(self.read_key())
        self.at += depth
        if depth == 2:
            position = self.arrays.get(key, -1) + 1
            self.arrays[key] = position
            self.note((), key, start)
            key = (*key, position)
        self.note((), key, start)
        return key

    def resolve(self, key: Key) -> Key:
        """A header's key, with the last element of every array of tables it passes through."""
        resolved: Key = ()
        for place, part in enumerate(key):
            resolved = (*resolved, part)
            if resolved in self.arrays and place < len(key) - 1:
                resolved = (*resolved, self.arrays[resolved])
        return resolved

    def read_pair(self, table: Key) -> None:
        """`a.b = value`"""
        start = self.at
        key = self.read_key()
        self.at += 1  # the equals sign
        self.note(table, key, start)
        self.skip(SPACE)
        self.read_value((*table, *key))

    def read_key(self) -> Key:
        """A dotted key, up to what follows it."""
        parts: list[str] = []
        while True:
            self.skip(SPACE)
            parts.append(self.read_key_part())
            self.skip(SPACE)
            if self.peek() != ".":
                return tuple(parts)
            self.at += 1

    def read_key_part(self) -> str:
        if self.peek() == "'":
            return self.take(STRING)[1:-1]
        if self.peek() == '"':
            return unescape(self.take(STRING)[1:-1])
        return self.take(BARE_KEY)

    def read_value(self, key: Key) -> None:
        """Pass over a value, noting the keys inside it."""
        match self.peek():
            case "[":
                self.read_array(key)
            case "{":
                self.read_inline_table(key)
            case '"' | "'":
                self.take(STRING)
            case _:
                self.take(SCALAR)

    def read_array(self, key: Key) -> None:
        self.at += 1
        position = 0
        while self.has_more("]"):
            self.note(key, (position,), self.at)
            self.read_value((*key, position))
            position += 1

    def read_inline_table(self, key: Key) -> None:
        self.at += 1
        while self.has_more("}"):
            self.read_pair(key)

    def has_more(self, end: str) -> bool:
        """Whether another element follows; if none does, move past `end`."""
        self.skip(BLANK)
        if self.peek() == ",":
            self.at += 1
            self.skip(BLANK)
        if self.peek() not in (end, ""):
            return True
        self.at += 1
        return False

    def peek(self) -> str:
        """The next character, or an empty string at the end."""
        return self.text[self.at : self.at + 1]

    def note(self, table: Key, key: Key, position: int) -> None:
        """Remember the line of a key and of the tables it implies, the first time each is met."""
        self._line += self.text.count("\n", self._counted_to, position)
        self._counted_to = position
        for length in range(1, len(key) + 1):
            self.lines.setdefault((*table, *key[:length]), self._line)

    def take(self, pattern: re.Pattern[str]) -> str:
        """Move past what `pattern` matches here."""
        match = pattern.match(self.text, self.at)
        if match is None or match.end() == self.at:
            # never in text that tomlkit parsed; a wrong line is better than a loop without end
            self.at = len(self.text)
            return ""
        self.at = match.end()
        return match[0]

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at


def unescape(text: str) -> str:
    """The text of a basic string."""

    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else ESCAPED.get(match[4], match[4])

    return ESCAPE.sub(one, text)
