"""Files of claude's are read as Claude Code 2.1.330 reads them (each row measured)."""

from __future__ import annotations

import codecs

import pytest

from openclaude.claude.json_text import parse_json, text_of_file

JSON = '{"env": {"A": "é"}}'
VALUE = {"env": {"A": "é"}}


@pytest.mark.parametrize(
    "data",
    [
        JSON.encode(),
        codecs.BOM_UTF8 + JSON.encode(),
        codecs.BOM_UTF16_LE + JSON.encode("utf-16-le"),
        JSON.replace(" ", "\r\n").encode(),
    ],
)
def test_what_claude_takes_is_taken(data: bytes) -> None:
    assert parse_json(text_of_file(data)) == VALUE


def test_bytes_that_are_no_text_are_replaced_and_nothing_is_an_object() -> None:
    assert parse_json(text_of_file(b'{"a": "\xe9"}')) == {"a": "\N{REPLACEMENT CHARACTER}"}
    assert parse_json(text_of_file(b"")) == {}
    assert parse_json(text_of_file(b" \r\n")) == {}
    assert parse_json('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF16_BE + JSON.encode("utf-16-be"),
        JSON.encode("utf-16-le"),
        codecs.BOM_UTF32_LE + JSON.encode("utf-32-le"),
        codecs.BOM_UTF8 * 2 + JSON.encode(),
        b"// no\n" + JSON.encode(),
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\x01"}',
        b"{} x",
        b"{}\0",
    ],
)
def test_what_claude_refuses_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - as `json` says it
        parse_json(text_of_file(data))
