"""Replies that nobody thought of: what a provider says, changed at random, and what comes of it.

Knows: how a reply is changed, what claude may get for it. Independent of: who asks whom.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import HealthCheck, settings

from tests.anthropic_rules import Told
from tests.misbehaviour import http_reply
from tests.unit.gateway.replies.test_fuzz import STRANGE, changed, disturbed, frames, reply
from tests.unit.gateway.replies.upstreams import DIALECTS, End, Words

EXAMPLES = int(os.environ.get("OPENCLAUDE_FUZZ", "500"))
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


class Changed(NamedTuple):
    """A provider's HTTP response, the packets it comes in, and what is known of the answer."""

    response: bytes
    cut: int
    words: str | None  # what the answer has to begin with, where that is known
    must_succeed: bool


Ask = Callable[[Changed, bool], Told]


def made_up(dialect: str, seed: int, *, streams: bool) -> Changed:
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
    is_plain = way == 3 and not any(isinstance(one, Words) and one.text in STRANGE for one in said)
    words = "".join(one.text for one in said if isinstance(one, Words))
    return Changed(
        response=http_reply(dialect, raw, streams=says_as),
        cut=random_.choice([7, 50, 1 << 20]),
        words=words if is_plain else None,
        must_succeed=is_plain and said[-1:] == [End()],
    )


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


def check(given: Changed, told: Told) -> None:
    """Claude gets what was said, or an error that is the provider's and not LiteLLM's own."""
    assert not INTERNAL.search(told.error), told
    # LiteLLM's word for whatever it has not caught
    assert told.status != 500 or b"500" in given.response, told
    if given.words is not None and not told.error:
        assert told.text.startswith(given.words)
    assert not (given.must_succeed and told.error), told
