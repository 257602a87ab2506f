"""The forms of tests/unit/gateway/replies/test_variants.py through a real providers instance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.anthropic_rules import Told, judge
from tests.misbehaviour import http_reply, say
from tests.process.replay import LIKE_OPENAI, Replayer, replayer
from tests.unit.gateway.replies.test_variants import ROWS
from tests.unit.gateway.replies.upstreams import DIALECTS, End, Words

CASES = [
    (name, slot)
    for name, row in ROWS.items()
    for slot in (LIKE_OPENAI if row.dialect == "openai" else (row.dialect,))
]
NOTHING = "(no content)"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    with replayer(tmp_path_factory.mktemp("variants")) as started:
        yield started


@pytest.mark.parametrize("slot", ["openrouter", *DIALECTS])
@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("status", [201, 202, 206, 299])
def test_any_status_of_success_is_read_as_one(
    instance: Replayer, slot: str, streams: bool, status: int
) -> None:
    dialect = "openai" if slot == "openrouter" else slot

    def ask(body: bytes) -> Told:
        reply = http_reply(dialect, body, streams=streams)
        answer = instance.ask(slot, reply.replace(b"200", b"%d" % status, 1), stream=streams)
        return judge(answer.status, answer.body, streams=streams)

    told = ask(say(dialect, [Words("hi"), End()], streams=streams))
    nothing = ask(b"")

    assert (told.text, told.reason) == ("hi", "end_turn")
    assert "empty body" in nothing.error


@pytest.mark.parametrize(("name", "slot"), CASES)
def test_a_form_that_no_report_has_is_a_message_or_an_error(
    instance: Replayer, name: str, slot: str
) -> None:
    row = ROWS[name]
    reply = http_reply(row.dialect, row.raw, streams=row.streams)

    answer = instance.ask(slot, reply, stream=row.streams)

    told = judge(answer.status, answer.body, streams=row.streams)
    if row.error:
        assert row.error in told.error
        return
    assert told.error == ""
    nothing = "" if row.calls else NOTHING
    assert (told.text, told.calls) == (row.text or nothing, row.calls)
