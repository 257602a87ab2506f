"""What `providers` says of its part of a request: only names, and never too much."""

from __future__ import annotations

import json

import pytest

from openclaude.gateway.http.trail import (
    HEADER,
    leaving_trail,
    note_changes,
    note_reply,
    read_trail,
)


def test_it_says_what_failed_before_and_what_holds_for_the_one_that_answered() -> None:
    with leaving_trail() as trail:
        trail.begin()
        note_changes(["max_tokens 32000 -> 100"])
        note_reply([("X-Amzn-RequestId", "first")])
        trail.failed("qwen", 429, b'{"error": {"type": "rate_limit_error", "message": "secret"}}')
        trail.begin()
        note_changes(["removed: thinking"])
        note_reply([("Content-Type", "x"), ("X-Amzn-RequestId", "second")])

    found = read_trail([trail.header()])

    (tried,) = found["attempts"]
    assert (tried["model"], tried["status"], tried["error"]) == ("qwen", 429, "rate_limit_error")
    assert (found["changes"], found["request_id"]) == (["removed: thinking"], "second")
    assert b"secret" not in trail.header()[1]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"error": 7}', b'{"error": {"type": "Some words. Of a prompt"}}']
)
def test_the_kind_of_an_error_is_a_word_or_nothing(body: bytes) -> None:
    with leaving_trail() as trail:
        trail.failed("qwen", 500, body)

    assert read_trail([trail.header()])["attempts"][0]["error"] == ""


def test_without_a_trail_nothing_is_noted() -> None:
    note_changes(["removed: thinking"])
    note_reply([("x-request-id", "1")])
    with leaving_trail() as trail:
        pass
    assert read_trail([trail.header()]) == {}


def test_it_stays_small_and_on_one_line_whatever_is_noted() -> None:
    with leaving_trail() as trail:
        note_reply([("x-request-id", "é\r\nx: y" + "z" * 100_000)])
        note_changes(["tools not offered: " + "\N{SNOWMAN}\n" * 10_000] * 1000)
        for _ in range(1000):
            trail.failed("m" * 100_000, 500, b"")

    name, value = trail.header()

    assert (name, len(value) < 50_000) == (HEADER, True)
    assert not {b"\r"[0], b"\n"[0]} & {*value}
    assert json.loads(value)["request_id"].startswith("éx: yz")


@pytest.mark.parametrize("value", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_header_that_cannot_be_read_says_nothing(value: bytes) -> None:
    assert read_trail([(HEADER, value)]) == {}
