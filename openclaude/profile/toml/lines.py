"""Lines: what is cut out of a text and put into it when one key changes.

Knows: lines, their endings, the comments that belong to a section. Independent of: which key is
meant, and why. Standard library only.
"""

from __future__ import annotations

from openclaude.diagnostics import Key
from openclaude.profile.toml.render import key_text
from openclaude.profile.toml.statements import Header, Layout, Pair


def replace_value(text: str, pair: Pair, value: str) -> str:
    """The same statement with another value."""
    return text[: pair.value] + value + text[pair.end :]


def add_line(text: str, start: int, line: str, end: int) -> str:
    """`line` below the statement from `start` to `end`, and as far to the right."""
    indent = text[line_start(text, start) : start]
    return insert_lines(text, line_end(text, end), indent + line)


def add_first_line(text: str, line: str) -> str:
    """`line` above all others."""
    return line + newline_of(text, 0) + text


def add_section(text: str, after: int | None, table: Key, line: str) -> str:
    """A new `[table]` with one line, below `after` and its comments, else at the end."""
    at = len(text) if after is None else skip_comments(text, line_end(text, after))
    newline = newline_of(text, at)
    before = newline if text else ""
    return insert_lines(text, at, f"{before}[{key_text(table)}]{newline}{line}")


def insert_lines(text: str, at: int, lines: str) -> str:
    """Whole lines at a line's beginning; a last line without an ending stays one."""
    newline = newline_of(text, at)
    if at and not text[:at].endswith("\n"):
        return text[:at] + newline + lines
    return text[:at] + lines + newline + text[at:]


def drop_line(text: str, pair: Pair) -> str:
    """Without the lines of one statement."""
    return cut_lines(text, line_start(text, pair.start), line_end(text, pair.end))


def drop_section(layout: Layout, header: Header) -> str:
    """Without a header, what stands under it and the empty line above it."""
    text = layout.text
    start = line_start(text, header.start)
    above = line_start(text, max(start - 1, 0))
    if start and not text[above:start].strip():
        start = above
    return cut_lines(text, start, section_end(layout, header))


def is_bare_section(layout: Layout, header: Header) -> bool:
    """Whether nothing stands under a header, no comment either."""
    return not layout.text[header.end : section_end(layout, header)].strip()


def section_end(layout: Layout, header: Header) -> int:
    """Where the lines of a section end: with its last statement or the comments below that."""
    return skip_comments(layout.text, line_end(layout.text, layout.last_of(header)))


def cut_lines(text: str, start: int, end: int) -> str:
    """Without these lines; a file whose last line had no ending still has none."""
    kept = text[:start]
    if end == len(text) and not text.endswith("\n"):
        kept = kept.removesuffix("\n").removesuffix("\r")
    return kept + text[end:]


def insert_inline(layout: Layout, table: Pair, statement: str) -> str:
    """A further statement at the end of an inline table."""
    inside = inline_pairs(layout, table.key)
    if not inside:
        return replace_value(layout.text, table, f"{{ {statement} }}")
    end = inside[-1].end
    return f"{layout.text[:end]}, {statement}{layout.text[end:]}"


def drop_inline_pair(layout: Layout, pair: Pair) -> str:
    """Without one statement of an inline table, and without the comma it no longer needs."""
    text = layout.text
    inside = inline_pairs(layout, pair.section)
    at = inside.index(pair)
    if at > 0:
        return text[: inside[at - 1].end] + text[pair.end :]
    if len(inside) > 1:
        return text[: pair.start] + text[inside[1].start :]
    table = layout.pair(pair.section)
    return replace_value(text, table, "{}") if table else text


def inline_pairs(layout: Layout, table: Key) -> list[Pair]:
    """The statements between one pair of braces."""
    return [pair for pair in layout.pairs if pair.is_inline and pair.section == table]


def line_start(text: str, position: int) -> int:
    """Where the line of a position begins."""
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """Where the line after that of a position begins."""
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def skip_comments(text: str, at: int) -> int:
    """Past the comment lines at `at`, unless they introduce what follows them."""
    end = at
    while text[end : line_end(text, end)].lstrip(" \t").startswith("#"):
        end = line_end(text, end)
    following = text[end : line_end(text, end)]
    return at if following.strip() else end


def newline_of(text: str, at: int) -> str:
    """How lines end around a position: as the one before it does, else as the first one does."""
    before = text.rfind("\n", 0, at)
    found = text.find("\n") if before < 0 else before
    return "\r\n" if text[max(found - 1, 0) : found + 1] == "\r\n" else "\n"
