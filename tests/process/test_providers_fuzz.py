"""Replies that nobody thought of, through a real providers instance: a message or an error.

500 examples in every run; OPENCLAUDE_FUZZ=20000, as `build/test --all` has it, for more.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.anthropic_rules import Told, judge
from tests.misbehaviour import http_reply
from tests.process.replay import Replayer, replayer
from tests.unit.gateway.replies.test_fuzz import STRANGE, changed, disturbed, frames, reply
from tests.unit.gateway.replies.upstreams import DIALECTS, End, Words

EXAMPLES = int(os.environ.get("OPENCLAUDE_FUZZ", "500"))
SLOTS = {
    **{name: (name,) for name in DIALECTS},
    "openai": ("openai", "openrouter", "mistral", "hosted_vllm"),
}
# What LiteLLM says when it has met something that it does not expect, in place of a reason
INTERNAL = re.compile(
    r"has no attribute|NoneType|not subscriptable|not iterable|KeyError|TypeError|AttributeError"
    r"|validation error|Expecting |unexpected keyword|unhashable|must be str|Error: '\w+'"
    r"|cannot access local|list index|JSONDecodeError|Unable to get json|Error parsing chunk"
)
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    with replayer(tmp_path_factory.mktemp("fuzz")) as started:
        yield started


def ask(instance: Replayer, dialect: str, raw: bytes, random_: random.Random, **how: Any) -> Told:
    """Return what claude gets if a provider of this dialect answers like this."""
    streams, says_as = how["streams"], how.get("says_as", how["streams"])
    instance.replay.cut = random_.choice([7, 50, 1 << 20])
    slot = random_.choice(SLOTS[dialect])
    answer = instance.ask(slot, http_reply(dialect, raw, streams=says_as), stream=streams)
    told = judge(answer.status, answer.body, streams=streams)
    assert not INTERNAL.search(told.error), told
    return told


def broken(raw: bytes, random_: random.Random) -> bytes:
    """Bytes with some of them changed."""
    out = bytearray(raw)
    for _ in range(random_.randrange(1, 4)):
        at = random_.randrange(len(out) + 1)
        until = min(len(out), at + random_.randrange(20))
        out[at:until] = random_.choice(
            [b"", b"\x00", b"\n", b"\n\n", b"\xff", b'"', b"{", b"data:"]
        )
    return bytes(out)


@fuzzed
@given(st.sampled_from(sorted(DIALECTS)), st.booleans(), st.integers(0, 2**32 - 1))
def test_whatever_a_provider_answers_claude_gets_a_message_or_an_error(
    instance: Replayer, dialect: str, streams: bool, seed: int
) -> None:
    answer_and_judge(instance, dialect, seed, streams=streams)


def answer_and_judge(instance: Replayer, dialect: str, seed: int, *, streams: bool) -> None:
    """One reply that follows from a seed."""
    random_ = random.Random(seed)  # noqa: S311 - a test's
    said = reply(random_)
    says_as = streams if random_.random() < 0.9 else not streams
    raw = (DIALECTS[dialect].say if says_as else DIALECTS[dialect].say_whole)(said)
    way = random_.randrange(4)
    if way == 0:
        raw = broken(raw, random_)
    elif way < 3 and says_as:
        raw = b"".join(disturbed(dialect, frames(dialect, raw), random_))
    elif way < 3:
        document = json.loads(raw)
        for _ in range(random_.randrange(1, 3)):
            document = changed(document, random_)
        raw = json.dumps(document).encode()

    told = ask(instance, dialect, raw, random_, streams=streams, says_as=says_as)

    is_plain = not any(isinstance(one, Words) and one.text in STRANGE for one in said)
    if way == 3 and is_plain and not told.error:
        words = "".join(one.text for one in said if isinstance(one, Words))
        assert told.text.startswith(words)
    if way == 3 and is_plain and said and said[-1] == End():
        assert not told.error


def test_the_instance_has_met_nothing_that_it_did_not_expect(instance: Replayer) -> None:
    log = instance.log.read_text()

    assert "Exception in ASGI application" not in log
    assert "the rehearsal failed" not in log
