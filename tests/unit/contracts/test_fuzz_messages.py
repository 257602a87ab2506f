"""Messages, records and files that no version of ours has written: read, or refused with a reason.

300 made-up documents of each kind in every run; OPENCLAUDE_FUZZ=20000, as `build/test --all` has
it, for more.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openclaude.contracts.control import Joinable, read_question
from openclaude.contracts.decode import Malformed, read, read_json
from openclaude.contracts.handover import read_handover
from openclaude.contracts.plan import read_plan
from openclaude.contracts.report import read_report
from openclaude.contracts.stack_record import read_stack_record
from openclaude.contracts.worker import (
    load_line,
    read_forkserver_message,
    read_order,
    read_secrets,
    read_unit_line,
    read_unit_setup,
    secrets_text,
)
from openclaude.plan_cache import CachedPlan
from tests.unit.contracts.test_wire import before
from tests.unit.gateway.replies.test_fuzz import changed

EXAMPLES = int(os.environ.get("OPENCLAUDE_FUZZ", "0")) // 20 or 300
LONGEST = 500  # characters of a refusal: it goes into logs and onto terminals
CACHED = json.dumps(
    {
        "made_by": "0",
        "profiles": "/p",
        "overrides": {"A": "b"},
        "sources": {"/p/a.toml": "schema = 1"},
        "absent": ["/p/b.toml"],
        "stamps": {"/m": [1, 2]},
        "plan": "{}",
    }
)
READERS: dict[str, tuple[Callable[[Any], object], list[str]]] = {
    "control request": (read_question, before("questions.jsonl").splitlines()),
    "answer": (lambda text: read(Joinable, text, "answer"), [before("report.json")]),
    "report": (lambda text: read_report(read_json(text, "report")), [before("report.json")]),
    "record": (read_stack_record, [before("stack.json")]),
    "plan": (read_plan, [before("plan.json")]),
    "cached plan": (lambda text: read(CachedPlan, text, "cached plan"), [CACHED]),
    "handover": (read_handover, [before("handover.json")]),
    "order": (read_order, ['{"application": "m:app"}']),
    "forkserver": (read_forkserver_message, before("forkserver.jsonl").splitlines()[1:]),
    "set-up": (read_unit_setup, [before("setup.json")]),
    "secrets": (read_secrets, [secrets_text({"KEY": "env:KEY"}, {"HOME": "/h"})]),
}
KINDS = sorted(READERS)
DEEP = b"[" * 100_000
ODD = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"null",
            b"{}",
            b"[]",
            DEEP,
            b'{"do":"stop"',
            b"9" * 5000,
            b'"\\ud800"',
            b"NaN",
            b"\xff",
        ]
    ),
)
fuzzed = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def refusal(reader: Callable[[Any], object], text: bytes | str) -> str:
    """Return why a document is refused, or ""; whatever else is raised fails the test."""
    try:
        reader(text)
    except Malformed as error:
        return str(error)
    return ""


def is_read_or_refused(kind: str, text: bytes | str) -> bool:
    """Tell whether a document is read, or refused in one printable line of bounded length."""
    said = refusal(READERS[kind][0], text)
    return said.isprintable() and len(said) < LONGEST


@pytest.mark.parametrize("kind", KINDS)
@fuzzed
@given(seed=st.integers(0, 2**32 - 1))
def test_a_changed_document_is_read_or_refused(kind: str, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    document = json.loads(random_.choice(READERS[kind][1]))
    for _ in range(random_.randrange(1, 4)):
        document = changed(document, random_)

    assert is_read_or_refused(kind, json.dumps(document))


@pytest.mark.parametrize("kind", KINDS)
@fuzzed
@given(raw=ODD)
def test_any_bytes_are_read_or_refused(kind: str, raw: bytes) -> None:
    assert is_read_or_refused(kind, raw)


@pytest.mark.parametrize("kind", KINDS)
@fuzzed
@given(seed=st.integers(0, 2**32 - 1))
def test_a_torn_or_overwritten_document_is_read_or_refused(kind: str, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    raw = bytearray(random_.choice(READERS[kind][1]).encode())
    for _ in range(random_.randrange(1, 8)):
        raw[random_.randrange(len(raw))] = random_.randrange(256)
    end = random_.choice([len(raw), random_.randrange(len(raw))])

    assert is_read_or_refused(kind, bytes(raw[:end]))


@fuzzed
@given(line=st.binary(max_size=200))
@example(line=load_line(3, 14))
@example(line=b"9" * 5000 + b" 1")
@example(line=b"\xff\xfe !")
def test_any_line_of_a_unit_is_read_or_refused(line: bytes) -> None:
    assert refusal(read_unit_line, line).isprintable()
