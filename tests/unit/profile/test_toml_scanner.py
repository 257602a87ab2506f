"""Where keys are written: tables of hand-made documents, then generated ones with known lines."""

from __future__ import annotations

import tomllib

import pytest
import tomlkit
from hypothesis import example, given
from hypothesis import strategies as st

from openclaude.diagnostics import Key, dotted
from openclaude.profile.toml.scanner import locate_keys

TABLES: list[tuple[str, str, dict[Key, int]]] = [
    ("nothing", "", {}),
    ("only comments", "# a = 1\n\n  # b = 2\n", {}),
    ("a pair without a newline", "a = 1", {("a",): 1}),
    ("comments and blank lines", "# x\n\na = 1 # b = 2\n  b = 2\n", {("a",): 3, ("b",): 4}),
    ("windows lines", "a = 1\r\n\r\nb = 2\r\n", {("a",): 1, ("b",): 3}),
    (
        "dotted keys",
        "a.b = 1\na . c.d = 2\n",
        {("a",): 1, ("a", "b"): 1, ("a", "c"): 2, ("a", "c", "d"): 2},
    ),
    (
        "tables",
        "[a]\nx = 1\n[ a . b ] # y = 1\nx = 2\n",
        {("a",): 1, ("a", "x"): 2, ("a", "b"): 3, ("a", "b", "x"): 4},
    ),
    (
        "a table after its child",
        "[a.b]\nx = 1\n[a]\ny = 2\n",
        {("a",): 1, ("a", "b"): 1, ("a", "b", "x"): 2, ("a", "y"): 4},
    ),
    (
        "quoted keys",
        '"a.b" = 1\n\'c = "d"\' = 2\n"\\u0061\\t\\"" = 3\n["x y".z]\nk = 1\n"" = 0\n',
        {
            ("a.b",): 1,
            ('c = "d"',): 2,
            ('a\t"',): 3,
            ("x y",): 4,
            ("x y", "z"): 4,
            ("x y", "z", "k"): 5,
            ("x y", "z", ""): 6,
        },
    ),
    (
        "inline tables",
        "a = { b = 1, c.d = { e = 'x' } }\nf = {}\ng = 1\n",
        {
            ("a",): 1,
            ("a", "b"): 1,
            ("a", "c"): 1,
            ("a", "c", "d"): 1,
            ("a", "c", "d", "e"): 1,
            ("f",): 2,
            ("g",): 3,
        },
    ),
    (
        "arrays over lines",
        'a = [ # one\n  "x = 1", # ]\n  "y",\n]\nb = [[1, 2], []]\nc = 1\n',
        {
            ("a",): 1,
            ("a", 0): 2,
            ("a", 1): 3,
            ("b",): 5,
            ("b", 0): 5,
            ("b", 0, 0): 5,
            ("b", 0, 1): 5,
            ("b", 1): 5,
            ("c",): 6,
        },
    ),
    (
        "tables in an array",
        "a = [\n  { x = 1 },\n  { y = 2 },\n]\n",
        {("a",): 1, ("a", 0): 2, ("a", 0, "x"): 2, ("a", 1): 3, ("a", 1, "y"): 3},
    ),
    (
        "arrays of tables",
        "[[a]]\nx = 1\n[[a]]\n[a.b]\ny = 1\n[[a.c]]\nz = 1\n",
        {
            ("a",): 1,
            ("a", 0): 1,
            ("a", 0, "x"): 2,
            ("a", 1): 3,
            ("a", 1, "b"): 4,
            ("a", 1, "b", "y"): 5,
            ("a", 1, "c"): 6,
            ("a", 1, "c", 0): 6,
            ("a", 1, "c", 0, "z"): 7,
        },
    ),
    (
        "strings over lines",
        'a = """\nb = 1\n[c]\\\n"quoted" \\""" d = 2\n"""\ne = \'\'\'\nf = 1\'\'\'\ng = 1\n',
        {("a",): 1, ("e",): 6, ("g",): 8},
    ),
    (
        "strings that end in quotes of their own",
        'a = """x"""""\nb = \'\'\'y\'\'\'\'\'\nc = """"""\nd = \'\'\ne = 1\n',
        {("a",): 1, ("b",): 2, ("c",): 3, ("d",): 4, ("e",): 5},
    ),
    (
        "dates and numbers",
        "a = 1979-05-27 07:32:00\nb = [1e3, -7]\nc = 07:32:00.5\n",
        {("a",): 1, ("b",): 2, ("b", 0): 2, ("b", 1): 2, ("c",): 3},
    ),
]


@pytest.mark.parametrize(
    ("text", "lines"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES]
)
def test_every_key_is_found_on_its_line(text: str, lines: dict[Key, int]) -> None:
    tomlkit.parse(text)  # the table contains TOML only

    assert locate_keys(text) == lines


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (("tiers", "haiku", "model"), "tiers.haiku.model"),
        (("tiers", "a.b", "x y"), 'tiers."a.b"."x y"'),
        (("fallbacks", 2), "fallbacks.2"),
        (("",), '""'),
        (("\x1b[31m",), '"\\x1b[31m"'),
        (("x" * 50 + " ",), f'"{"x" * 37}..."'),
    ],
)
def test_a_key_is_shown_as_a_person_writes_it(key: Key, text: str) -> None:
    assert dotted(key) == text


# --- generated documents

CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
TEXTS = st.text(CHARACTERS, max_size=8)
BARE = st.text("abcXYZ019_-", min_size=1, max_size=5)


def basic(text: str) -> str:
    """`text` as a basic string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


VALUES = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.sampled_from(["true", "1979-05-27", "3.5", "[]", "{}", "''", '""""""', "''''''"]),
    TEXTS.map(basic),
    TEXTS.map(lambda text: '"""\n' + basic(text)[1:-1] + '\n[x]\ny = 1"""'),
    TEXTS.map(lambda text: "'''\n" + text.replace("'", "") + "\n# z = 2\n'''"),
    st.lists(TEXTS.map(basic), max_size=3).map(
        lambda texts: "[ # x = [\n" + ",\n".join(texts) + "\n]"
    ),
    st.lists(TEXTS.map(basic), min_size=1, max_size=2).map(
        lambda texts: "{ a = " + ", b = ".join(texts) + " }"
    ),
)
NAMES = st.one_of(BARE.map(lambda name: (name, name)), TEXTS.map(lambda text: (basic(text), text)))
NOISE = st.sampled_from(["", "\n", "# a = 1\n", "  \t\n# [b]\n\n"])
NEWLINES = st.sampled_from(["\n", "\r\n"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[Key, int]]:
    """Return a document of tables and pairs, and the line of each."""
    text = ""
    lines: dict[Key, int] = {}
    tables = [None, *draw(st.lists(NAMES, max_size=3, unique_by=lambda name: name[1]))]
    taken = {table[1] for table in tables if table}
    for table in tables:
        text += draw(NOISE)
        prefix: Key = ()
        if table:
            prefix = (table[1],)
            lines[prefix] = text.count("\n") + 1
            text += f"[{table[0]}]\n"
        names = draw(st.lists(NAMES, max_size=4, unique_by=lambda name: name[1]))
        for written, name in names:
            if not table and name in taken:
                continue
            text += draw(NOISE)
            lines[(*prefix, name)] = text.count("\n") + 1
            text += f"{written} = {draw(VALUES)}\n"
    return text.replace("\n", draw(NEWLINES)), lines


@given(documents())
def test_generated_keys_are_found_on_the_lines_they_were_put(
    document: tuple[str, dict[Key, int]],
) -> None:
    text, lines = document
    tomllib.loads(text)  # the strategy makes TOML

    found = locate_keys(text)

    assert {key: line for key, line in found.items() if key in lines} == lines
    assert {key[0] for key in found} == {key[0] for key in lines}


@given(st.text("ab=[]{}\"'#.,\\\n \r\t1", max_size=60))
@example("a = [")
@example("a = {b")
@example('a = "')
@example("[")
@example("[[a]")
def test_any_text_at_all_comes_to_an_end_with_lines_inside_it(text: str) -> None:
    lines = locate_keys(text)

    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.text("ab=[]{}\"'#.,\\\n 1", max_size=40))
def test_whatever_tomlkit_reads_has_a_line_for_each_of_its_keys(text: str) -> None:
    try:
        values = tomlkit.parse(text).unwrap()
    except Exception:  # noqa: BLE001 - only what can be read matters here
        return

    found = locate_keys(text)

    assert {key[0] for key in found} == set(values)
