"""Editing: set or remove one key in a profile's text; no other line changes.

Knows: where in a text a key belongs. Independent of: files, which keys a profile may have.
Comments, order, spacing, line endings and a missing last newline stay as they are. tomlkit's own
editing loses some of these, so the text is cut and joined here and tomlkit is the judge: what comes
out is parsed again, and must say exactly what was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from openclaude.diagnostics import Key, dotted
from openclaude.errors import UsageError
from openclaude.profile.read.merge import HEADING, MODEL, TIERS
from openclaude.profile.toml import lines
from openclaude.profile.toml.render import key_text, value_text
from openclaude.profile.toml.statements import Layout, Pair, find_layout, is_under


class Unwritable(UsageError):
    """A text to which a key cannot be added automatically."""

    code = "profile-layout"

    def __init__(self, key: Key) -> None:
        super().__init__(
            f"`{dotted(key)}` cannot be added to this file automatically",
            hint="add it with `openclaude profiles edit`",
        )


def set_value(text: str, key: Key, value: object) -> str:
    """`text`, which is TOML, with `key` set to `value`. Raises Unwritable."""
    place = settle(text, key) if isinstance(value, str) else key
    if says(parse(text), place, value):
        return text  # however it is spelled
    changed = put(text, place, value_text(value))
    return confirmed(changed, place, with_value(parse(text), place, value))


def unset_value(text: str, key: Key) -> str:
    """`text` without `key` and what is under it; the same text where there is none."""
    place = key if len(key) == 2 else settle(text, key)
    return confirmed(remove(text, place), place, without_value(parse(text), place))


def settle(text: str, key: Key) -> Key:
    """Where a tier's model is written: `tiers.haiku` in the short form, its `model` in the long."""
    if key[:1] != (TIERS,) or key[2:] not in ((), (MODEL,)) or len(key) < 2:
        return key
    layout = find_layout(text)
    tier, pair = key[:2], layout.pair(key[:2])
    if pair:
        return (*tier, MODEL) if is_inline_table(layout, pair) else tier
    return (*tier, MODEL) if key[2:] or is_said(layout, tier) or is_long(layout) else tier


def is_long(layout: Layout) -> bool:
    """Whether the file gives each of its tiers a table of its own, `[tiers.haiku]`."""
    tiers = [header.key for header in layout.headers if header.key[:1] == (TIERS,)]
    is_short = any(pair.key[0] == TIERS and pair.section == () for pair in layout.pairs)
    return bool(tiers) and (TIERS,) not in tiers and not is_short


def is_said(layout: Layout, key: Key) -> bool:
    """Whether the file has values at or under `key`."""
    keys = [header.key for header in layout.headers] + [pair.key for pair in layout.pairs]
    return any(is_under(one, key) for one in keys)


def is_inline_table(layout: Layout, pair: Pair) -> bool:
    """Whether a statement's value is `{ ... }`."""
    return layout.text.startswith("{", pair.value)


# --- setting


def put(text: str, key: Key, value: str) -> str:
    """`text` with `key = value`: where the key stands, else beside what is nearest to it."""
    layout = find_layout(text)
    pair = layout.pair(key)
    if pair:
        return lines.replace_value(text, pair, value)
    if is_said(layout, key):  # a table of several lines becomes one line
        return put(remove(text, key), key, value)
    for length in range(len(key) - 1, 0, -1):
        changed = put_in_table(layout, key, length, value)
        if changed is not None:
            return changed
    return put_at_top(layout, key, value) if len(key) == 1 else put_in_section(layout, key, value)


def put_in_table(layout: Layout, key: Key, length: int, value: str) -> str | None:
    """The key added to the table of its first `length` parts, if the file has that table."""
    table, statement = key[:length], f"{key_text(key[length:])} = {value}"
    pair = layout.pair(table)
    if pair:
        return put_in_pair(layout, pair, key, statement, value)
    beside = [one for one in layout.lines_under(table) if len(one.section) < length]
    if beside:  # dotted keys: `tiers.haiku.model = ...` makes a table without a header
        rest = key_text(key[len(beside[-1].section) :])
        return lines.add_line(layout.text, beside[-1].start, f"{rest} = {value}", beside[-1].end)
    header = layout.header(table)
    if header and length == len(key) - 1:
        last = [one for one in layout.pairs if one.section == table and not one.is_inline]
        start, end = (last[-1].start, last[-1].end) if last else (header.start, header.end)
        return lines.add_line(layout.text, start, statement, end)
    return None


def put_in_pair(layout: Layout, pair: Pair, key: Key, statement: str, value: str) -> str:
    """The key added where a statement of its own says the table: `{ ... }`, or a tier's model.

    Raises Unwritable.
    """
    if is_inline_table(layout, pair):
        return lines.insert_inline(layout, pair, statement)
    if len(pair.key) == 2 and pair.key[0] == TIERS and layout.text[pair.value] in "\"'":
        at = pair.key_end
        return put(f"{layout.text[:at]}.{MODEL}{layout.text[at:]}", key, value)
    raise Unwritable(key)


def put_at_top(layout: Layout, key: Key, value: str) -> str:
    """A key before all tables; what a file says of itself stands together."""
    statement = f"{key_text(key)} = {value}"
    top = [pair for pair in layout.pairs if pair.section == () and not pair.is_inline]
    heading = [pair for pair in top if pair.key[0] in HEADING]
    beside = heading if key[0] in HEADING and heading else top
    if not beside:
        return lines.add_first_line(layout.text, statement)
    return lines.add_line(layout.text, beside[-1].start, statement, beside[-1].end)


def put_in_section(layout: Layout, key: Key, value: str) -> str:
    """A new table, below those it is kin to, else at the end."""
    kin = [header for header in layout.headers if header.key[:1] == key[:1]]
    after = layout.last_of(kin[-1]) if kin else None
    return lines.add_section(layout.text, after, key[:-1], f"{key_text(key[-1:])} = {value}")


# --- removing


def remove(text: str, key: Key) -> str:
    """`text` without everything at and under `key`."""
    while (shorter := remove_one(find_layout(text), key)) != text:
        text = shorter
    return text


def remove_one(layout: Layout, key: Key) -> str:
    """Without the first section or statement at or under `key`."""
    for header in layout.headers:
        if is_under(header.key, key):
            return lines.drop_section(layout, header)
    for pair in layout.pairs:
        if is_under(pair.key, key):
            return lines.drop_inline_pair(layout, pair) if pair.is_inline else drop(layout, pair)
    return layout.text


def drop(layout: Layout, pair: Pair) -> str:
    """Without one statement, nor the header of a section that has nothing else."""
    left = find_layout(lines.drop_line(layout.text, pair))
    header = left.header(pair.section) if pair.section else None
    if header and lines.is_bare_section(left, header):
        return lines.drop_section(left, header)
    return left.text


# --- judging


def parse(text: str) -> dict[str, Any]:
    """The values of a text."""
    return tomlkit.parse(text).unwrap()


def says(values: object, key: Key, value: object) -> bool:
    """Whether the values have this one at `key`."""
    for part in key:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return value_text(values) == value_text(value)  # which tells 1 from true, as `==` does not


def confirmed(text: str, key: Key, wanted: Mapping[str, Any]) -> str:
    """`text`, if it has the intended values. Raises Unwritable."""
    try:
        if full(parse(text)) == full(wanted):
            return text
    except (TOMLKitError, ValueError):
        pass
    raise Unwritable(key)


def full(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without empty tables."""
    pairs = {name: full(one) if isinstance(one, Mapping) else one for name, one in values.items()}
    return {name: one for name, one in pairs.items() if one != {}}


def with_value(values: Mapping[str, Any], key: Key, value: object) -> dict[str, Any]:
    """The values a text will have when `key` is set."""
    name, rest = str(key[0]), key[1:]
    if not rest:
        return {**values, name: value}
    inner = values.get(name, {})
    table = inner if isinstance(inner, Mapping) else {MODEL: inner}  # a tier's short form
    return {**values, name: with_value(table, rest, value)}


def without_value(values: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """The values a text will have when `key` is gone."""
    name, rest = str(key[0]), key[1:]
    kept = {other: one for other, one in values.items() if other != name}
    inner = values.get(name)
    if rest and isinstance(inner, Mapping):
        return {**kept, name: without_value(inner, rest)}
    return {**values} if rest else kept
