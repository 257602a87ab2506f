"""The forms of tests/unit/gateway/replies/test_variants.py through a real providers instance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.anthropic_rules import judge
from tests.misbehaviour import http_reply
from tests.process.replay import LIKE_OPENAI, Replayer, replayer
from tests.unit.gateway.replies.test_variants import ROWS

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
