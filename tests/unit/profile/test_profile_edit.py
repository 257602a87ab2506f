"""Editing: one key changes, and every other line stays as it was."""

from __future__ import annotations

import difflib

import pytest

from openclaude.diagnostics import Key
from openclaude.profile.author.edit import Unwritable, parse, set_value, unset_value


def key(text: str) -> Key:
    return tuple(text.split("."))


LONG = """\
# mine
schema = 1   # one
extends = "base"

[tiers.haiku]  # the long form
model = "bedrock/a"
  label = 'A'    # indented
# context_window = 1

[aws]
region = "us-west-2"
"""
SHORT = """\
schema = 1

[tiers]
haiku = "bedrock/a"  # cheap
opus = 'claude'
"""
DOTTED = """\
schema = 1
tiers.haiku.model = "bedrock/a"
tiers."haiku".label = "A"
aws.region = "us-west-2"
"""
INLINE = """\
schema = 1
tiers = { haiku = "bedrock/a", sonnet = { model = "bedrock/b" } } # all
aws = {}
"""
ARRAY = """\
schema = 1
[tiers.haiku]
fallbacks = [
  "bedrock/b", # first
  "bedrock/c",
]
model = "bedrock/a"
"""
SETS = [
    (LONG, "tiers.haiku", "new", {'-model = "bedrock/a"', '+model = "new"'}),
    (LONG, "tiers.haiku.model", "new", {'-model = "bedrock/a"', '+model = "new"'}),
    (
        LONG,
        "tiers.haiku.label",
        "B",
        {"-  label = 'A'    # indented", '+  label = "B"    # indented'},
    ),
    (LONG, "tiers.haiku.vision", True, {"+  vision = true"}),
    (LONG, "tiers.haiku.params.top_k", 5, {"+", "+[tiers.haiku.params]", "+top_k = 5"}),
    (LONG, "tiers.opus", "claude", {"+", "+[tiers.opus]", '+model = "claude"'}),
    (LONG, "aws.profile", "p", {'+profile = "p"'}),
    (LONG, "listen.port", 4010, {"+", "+[listen]", "+port = 4010"}),
    (LONG, "description", 'say "hi"\\', {'+description = "say \\"hi\\"\\\\"'}),
    (LONG, "schema", 2, {"-schema = 1   # one", "+schema = 2   # one"}),
    (
        SHORT,
        "tiers.haiku",
        "b",
        {'-haiku = "bedrock/a"  # cheap', '+haiku = "b"  # cheap'},
    ),
    (
        SHORT,
        "tiers.haiku.model",
        "b",
        {'-haiku = "bedrock/a"  # cheap', '+haiku = "b"  # cheap'},
    ),
    (
        SHORT,
        "tiers.haiku.label",
        "A",
        {
            '-haiku = "bedrock/a"  # cheap',
            '+haiku.model = "bedrock/a"  # cheap',
            '+haiku.label = "A"',
        },
    ),
    (SHORT, "tiers.fable", "claude", {'+fable = "claude"'}),
    (
        SHORT,
        "tiers.fable.fallbacks",
        ["a", "b"],
        {"+", "+[tiers.fable]", '+fallbacks = ["a", "b"]'},
    ),
    (
        DOTTED,
        "tiers.haiku",
        "b",
        {'-tiers.haiku.model = "bedrock/a"', '+tiers.haiku.model = "b"'},
    ),
    (
        DOTTED,
        "tiers.haiku.label",
        "B",
        {'-tiers."haiku".label = "A"', '+tiers."haiku".label = "B"'},
    ),
    (DOTTED, "tiers.opus", "claude", {'+tiers.opus = "claude"'}),
    (DOTTED, "aws.profile", "p", {'+aws.profile = "p"'}),
    (
        INLINE,
        "tiers.haiku",
        "b",
        {
            '-tiers = { haiku = "bedrock/a", sonnet = { model = "bedrock/b" } } # all',
            '+tiers = { haiku = "b", sonnet = { model = "bedrock/b" } } # all',
        },
    ),
    (
        INLINE,
        "tiers.sonnet",
        "b",
        {
            '-tiers = { haiku = "bedrock/a", sonnet = { model = "bedrock/b" } } # all',
            '+tiers = { haiku = "bedrock/a", sonnet = { model = "b" } } # all',
        },
    ),
    (
        INLINE,
        "tiers.haiku.label",
        "A",
        {
            '-tiers = { haiku = "bedrock/a", sonnet = { model = "bedrock/b" } } # all',
            '+tiers = { haiku.model = "bedrock/a", sonnet = { model = "bedrock/b" }, '
            'haiku.label = "A" } # all',
        },
    ),
    (INLINE, "aws.region", "r", {"-aws = {}", '+aws = { region = "r" }'}),
    (INLINE, "aws", {"region": "r"}, {"-aws = {}", '+aws = { region = "r" }'}),
    (
        ARRAY,
        "tiers.haiku.fallbacks",
        ["x"],
        {
            "-fallbacks = [",
            '-  "bedrock/b", # first',
            '-  "bedrock/c",',
            "-]",
            '+fallbacks = ["x"]',
        },
    ),
    ("", "schema", 1, {"+schema = 1"}),
    ("# only a comment\n", "aws.region", "r", {"+", "+[aws]", '+region = "r"'}),
    ("[aws]\n", "schema", 1, {"+schema = 1"}),
    (LONG, "tiers.haiku.params", {}, {"+  params = {}"}),
    (
        LONG,
        "aws",
        {"profile": "p", "region": "r"},
        {"-", "-[aws]", '-region = "us-west-2"', '+aws = { profile = "p", region = "r" }'},
    ),
]


def changed_lines(before: str, after: str) -> set[str]:
    """Return the lines that differ, each with `-` or `+`."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return {line[0] + line[2:] for line in lines if line[0] in "+-"}


@pytest.mark.parametrize(
    ("text", "name", "value", "lines"), SETS, ids=[f"{row[1]}-{at}" for at, row in enumerate(SETS)]
)
def test_setting_a_key_changes_these_lines(
    text: str, name: str, value: object, lines: set[str]
) -> None:
    assert changed_lines(text, set_value(text, key(name), value)) == lines


@pytest.mark.parametrize("text", [LONG, SHORT, DOTTED, INLINE, ARRAY])
def test_line_endings_and_a_missing_last_one_stay(text: str) -> None:
    windows = text.replace("\n", "\r\n")
    for name in ("tiers.haiku", "tiers.opus", "aws.profile", "listen.port", "description"):
        plain = set_value(text, key(name), "x")

        assert set_value(windows, key(name), "x") == plain.replace("\n", "\r\n")
        assert set_value(text[:-1], key(name), "x") == plain[:-1]
        assert set_value(windows[:-2], key(name), "x") == plain.replace("\n", "\r\n")[:-2]


UNSETS = [
    (LONG, "tiers.haiku.label", {"-  label = 'A'    # indented"}),
    (LONG, "aws.region", {"-", "-[aws]", '-region = "us-west-2"'}),
    (
        LONG,
        "tiers.haiku",
        {
            "-",
            "-[tiers.haiku]  # the long form",
            '-model = "bedrock/a"',
            "-  label = 'A'    # indented",
            "-# context_window = 1",
        },
    ),
    (LONG, "extends", {'-extends = "base"'}),
    (SHORT, "tiers.haiku", {'-haiku = "bedrock/a"  # cheap'}),
    (SHORT, "tiers.haiku.model", {'-haiku = "bedrock/a"  # cheap'}),
    (DOTTED, "tiers.haiku.label", {'-tiers."haiku".label = "A"'}),
    (DOTTED, "tiers", {'-tiers.haiku.model = "bedrock/a"', '-tiers."haiku".label = "A"'}),
    (
        INLINE,
        "tiers.haiku",
        {
            '-tiers = { haiku = "bedrock/a", sonnet = { model = "bedrock/b" } } # all',
            '+tiers = { sonnet = { model = "bedrock/b" } } # all',
        },
    ),
    (
        INLINE,
        "tiers.sonnet.model",
        {
            '-tiers = { haiku = "bedrock/a", sonnet = { model = "bedrock/b" } } # all',
            '+tiers = { haiku = "bedrock/a", sonnet = {} } # all',
        },
    ),
    (
        ARRAY,
        "tiers.haiku.fallbacks",
        {"-fallbacks = [", '-  "bedrock/b", # first', '-  "bedrock/c",', "-]"},
    ),
    (LONG, "listen.port", set()),
    (LONG, "tiers.opus", set()),
]


@pytest.mark.parametrize(
    ("text", "name", "lines"), UNSETS, ids=[f"{row[1]}-{at}" for at, row in enumerate(UNSETS)]
)
def test_removing_a_key_removes_these_lines(text: str, name: str, lines: set[str]) -> None:
    assert changed_lines(text, unset_value(text, key(name))) == lines


def test_a_section_that_keeps_a_comment_keeps_its_header() -> None:
    text = 'schema = 1\n\n[aws]\n# profile = "p"\nregion = "r"\n'

    assert unset_value(text, key("aws.region")) == 'schema = 1\n\n[aws]\n# profile = "p"\n'


def test_a_comment_that_introduces_the_next_section_stays_above_it() -> None:
    text = 'schema = 1\n[tiers.haiku]\nmodel = "a"\n# AWS\n[aws]\nregion = "r"\n'

    longer = set_value(text, key("tiers.opus"), "claude")

    assert longer == (
        'schema = 1\n[tiers.haiku]\nmodel = "a"\n\n[tiers.opus]\nmodel = "claude"\n'
        '# AWS\n[aws]\nregion = "r"\n'
    )
    assert unset_value(longer, key("tiers.opus")) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [("tiers.haiku = 1\n", "tiers.haiku.label"), ('aws = "x"\n', "aws.region")],
)
def test_a_key_under_a_value_has_no_place(text: str, name: str) -> None:
    with pytest.raises(Unwritable) as caught:
        set_value(text, key(name), "x")

    assert caught.value.message == f"`{name}` cannot be added to this file automatically"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "value",
    ['a"b', "a\\b", "tab\t", "del\x7f", "nul\0", "line\nline", "é日🦉", "", "'''", 'x"""'],
)
def test_any_text_is_written_so_that_it_reads_the_same(value: str) -> None:
    text = set_value("schema = 1\n", ("description",), value)

    assert parse(text) == {"schema": 1, "description": value}
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize("value", [True, -3, 1.5, 1e300, [1, [2]], {"a": {"b c": [True]}}, [], {}])
def test_any_value_is_written_so_that_it_reads_the_same(value: object) -> None:
    text = set_value("schema = 1\n", ("tiers", "haiku", "params", "x y"), value)

    assert parse(text)["tiers"]["haiku"]["params"]["x y"] == value


def test_a_table_of_many_lines_is_replaced_as_a_whole() -> None:
    text = 'schema = 1\n[tiers.haiku]\nmodel = "a"\n[tiers.haiku.params]\na = 1\nb = 2\n'

    changed = set_value(text, key("tiers.haiku.params"), {"c": 3})

    assert changed == 'schema = 1\n[tiers.haiku]\nmodel = "a"\nparams = { c = 3 }\n'
