"""What is true for any profile's text, however it is formatted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaude.diagnostics import Key
from openclaude.profile.author.edit import full, parse, set_value, unset_value
from openclaude.profile.toml.render import key_text, value_text

KEYS: tuple[Key, ...] = (
    ("description",),
    ("extends",),
    *((("tiers", tier)) for tier in ("opus", "haiku")),
    *(("tiers", tier, name) for tier in ("opus", "haiku") for name in ("model", "label", "x y")),
    ("tiers", "haiku", "params", "top_k"),
    ("aws", "profile"),
    ("aws", "region"),
    ("listen", "port"),
)
texts = st.text(st.characters(codec="utf-8"), max_size=6)
values = texts | st.integers(-9, 9) | st.booleans() | st.lists(texts, max_size=2)
comments = st.sampled_from(["", "  # why", "# a, [b] = {c}"])
gaps = st.sampled_from(["", "", "\n", "# note\n", "\n# note\n\n", "#\n# x = 1\n"])
tiers = st.sampled_from(['"claude"', "'bedrock/a'", '"bedrock/\\u0061"', '"""m"""'])


@st.composite
def sections(draw: st.DrawFn, table: Key, names: tuple[str, ...], value: st.SearchStrategy) -> str:
    """Return a table as lines, as dotted keys, or as one line; not empty."""
    given = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    pairs = [(name, draw(value)) for name in given]
    if draw(st.booleans()):
        inner = ", ".join(f"{key_text((name,))}={one}" for name, one in pairs)
        return f"{key_text(table)} = {{ {inner} }}{draw(comments)}\n"
    return "".join(f"{key_text((*table, name))} ={one}{draw(comments)}\n" for name, one in pairs)


@st.composite
def headed(draw: st.DrawFn, table: Key, names: tuple[str, ...], value: st.SearchStrategy) -> str:
    """Return a table with its own header."""
    given = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    indent = draw(st.sampled_from(["", "  ", "\t"]))
    lines = [f"{indent}{key_text((name,))} = {draw(value)}{draw(comments)}\n" for name in given]
    body = "".join(f"{draw(gaps)}{line}" for line in lines)
    return f"{draw(gaps)}[{key_text(table)}]{draw(comments)}\n{body}"


scalars = values.map(value_text)
PLACES: tuple[tuple[Key, tuple[str, ...], st.SearchStrategy], ...] = (
    (("aws",), ("profile", "region"), scalars),
    (("listen",), ("port", "strict"), scalars),
)
TIERS_SHORT = (("tiers",), ("opus", "haiku"), tiers)
TIER_LONG = ("model", "label", "x y")


@st.composite
def profiles(draw: st.DrawFn) -> str:
    """Return the text of a profile in one of the many ways to write it."""
    top = ["schema = 1\n", *draw(st.lists(gaps, max_size=2))]
    below: list[str] = []
    for place in PLACES:
        how = draw(st.sampled_from(["", "top", "below"]))
        top += [draw(sections(*place))] if how == "top" else []
        below += [draw(headed(*place))] if how == "below" else []
    how = draw(st.sampled_from(["", "top", "below", "long"]))
    top += [draw(sections(*TIERS_SHORT))] if how == "top" else []
    below += [draw(headed(*TIERS_SHORT))] if how == "below" else []
    for tier in ("opus", "haiku") if how == "long" else ():
        if draw(st.booleans()):
            below.append(draw(headed(("tiers", tier), TIER_LONG, scalars)))
    text = "".join([*draw(st.permutations(top)), *draw(st.permutations(below)), draw(gaps)])
    text = text if draw(st.booleans()) else text.removesuffix("\n")
    return text if draw(st.booleans()) else text.replace("\n", "\r\n")


def holds(values: Any, key: Key) -> bool:
    """Tell whether the values have a value at `key`."""
    for part in key:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def read(values: Any, key: Key) -> object:
    """Return the value at `key`; for a tier, and for its short form, the model."""
    for part in key:
        if isinstance(values, str):  # the short form is its model
            assert part == "model"
            return values
        values = values[part]
    is_tier = len(key) == 2 and key[0] == "tiers" and isinstance(values, dict)
    return values["model"] if is_tier else values


def is_short(text: str, key: Key) -> bool:
    """Tell whether a key of a tier's long form conflicts with its short one."""
    return isinstance(parse(text).get("tiers", {}).get(key[1] if key[1:] else ""), str)


@settings(max_examples=300, deadline=None)
@given(profiles(), st.sampled_from(KEYS), values)
def test_setting_and_removing_an_absent_key_gives_the_text_back(
    text: str, key: Key, value: object
) -> None:
    if holds(parse(text), key) or (key[0] == "tiers" and is_short(text, key)):
        return

    assert unset_value(set_value(text, key, value), key) == text


@settings(max_examples=300, deadline=None)
@given(profiles(), st.sampled_from(KEYS), values)
def test_what_was_set_can_be_read_and_set_again_without_a_change(
    text: str, key: Key, value: object
) -> None:
    changed = set_value(text, key, value)

    assert read(parse(changed), key) == value
    assert set_value(changed, key, value) == changed


@settings(max_examples=300, deadline=None)
@given(profiles(), st.sampled_from(KEYS), texts)
def test_no_line_of_another_key_changes_when_one_is_set(text: str, key: Key, value: str) -> None:
    changed = set_value(text, key, value).split("\n")

    kept = [line for line in text.split("\n")[:-1] if line.strip() and not mentions(line, key)]
    left = iter(changed)
    assert [line for line in kept if line not in left] == []  # all there, in their order


def mentions(line: str, key: Key) -> bool:
    """Tell whether a line may concern a key, so that it may have to change."""
    names = (*key, "model") if key[0] == "tiers" else key
    return any(str(part) in line for part in names)


@settings(max_examples=300, deadline=None)
@given(profiles(), st.sampled_from(KEYS))
def test_removing_a_key_removes_no_other_value(text: str, key: Key) -> None:
    left = parse(unset_value(text, key))

    assert not holds(left, key)
    for other in KEYS:
        if other[: len(key)] != key and key[: len(other)] != other:
            assert holds(full(left), other) == holds(full(parse(text)), other)
