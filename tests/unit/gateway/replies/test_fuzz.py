"""Replies that nobody thought of: mutated in every dialect, they are a message or an error.

500 examples in every run, a third as many of each other kind; OPENCLAUDE_FUZZ=20000 for more.
"""

from __future__ import annotations

import json
import os
import random
import struct
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openclaude.standins.bedrock.eventstream import event_frame
from tests.unit.gateway.replies.upstreams import (
    DIALECTS,
    HOSTS,
    LS,
    Asking,
    End,
    Failed,
    Heard,
    Piece,
    Words,
    messages_of,
)

EXAMPLES = int(os.environ.get("OPENCLAUDE_FUZZ", "500"))
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
less = settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=SLOW)
JUNK = [None, [], {}, "", "x", 7, -1, True, 1.5, ["x"], {"a": None}, "null", "{", {"type": "text"}]
STRANGE = [
    "\u2028",
    "<think>",
    "</think>",
    "<tool_call>",
    "```\n",
    "<|channel|>",
    "<",
    "\n\n",
    "<｜DSML｜",
    '{"name": "Bash"',
]
names = st.sampled_from(sorted(DIALECTS))
seeds = st.integers(0, 2**32 - 1)


def reply(random_: random.Random) -> list[Any]:
    """Return something that a provider may well send; all its texts are different."""
    said: list[Any] = []
    for at in range(random_.randrange(6)):
        said.append(Words(f"word{at}x "))
        if random_.random() < 0.3:
            said.append(Words(random_.choice(STRANGE)))
    for key in range(random_.randrange(3)):
        name, given_ = random_.choice([("Bash", LS), ("Read", HOSTS), (" bash", LS), ("No", LS)])
        text = json.dumps(given_)
        text = random_.choice([text, text, json.dumps(text), text[:-3], "null", "[1]", ""])
        half = random_.randrange(len(text) + 1)
        said.append(Piece(key, f"id{key}", name, text[:half]))
        said.append(Piece(key, arguments=text[half:]))
    if random_.random() < 0.9:
        said.append(End(random_.choice(["", "", "", "odd", "length", "max_tokens"])))
    return said


def frames(name: str, raw: bytes) -> list[bytes]:
    """Return the frames of a stream."""
    if name == "bedrock":
        out = []
        while raw:
            (total,) = struct.unpack_from("!I", raw)
            out.append(raw[:total])
            raw = raw[total:]
        return out
    end = b"\n" if name == "ollama" else b"\r\n\r\n" if name == "gemini" else b"\n\n"
    return [one + end for one in raw.split(end) if one]


def changed(value: Any, random_: random.Random) -> Any:
    """Return a document with a value replaced."""
    if random_.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return random_.choice(JUNK)
    copy = dict(value) if isinstance(value, dict) else list(value)
    keys: list[Any] = list(copy) if isinstance(copy, dict) else list(range(len(copy)))
    key = random_.choice(keys)
    if random_.random() < 0.15:
        del copy[key]
    else:
        copy[key] = changed(copy[key], random_)
    return copy


def mutated(name: str, frame: bytes, random_: random.Random) -> bytes:
    """Return a frame with another document."""
    if name == "bedrock":
        ((kind, payload),) = messages_of(frame)
        return event_frame(kind, changed(payload, random_))
    head, mark, text = frame.partition(b"data: ") if name != "ollama" else (b"", b"", frame)
    try:
        document = json.loads(text)
    except ValueError:
        return frame
    return head + mark + json.dumps(changed(document, random_)).encode() + b"\n\n"


def disturbed(name: str, whole: list[bytes], random_: random.Random) -> list[bytes]:
    """Drop, double, swap or change frames."""
    out = list(whole)
    for _ in range(random_.randrange(4)):
        if not out:
            break
        at = random_.randrange(len(out))
        match random_.randrange(5):
            case 0:
                del out[at]
            case 1:
                out.insert(at, out[at])
            case 2:
                other = random_.randrange(len(out))
                out[at], out[other] = out[other], out[at]
            case _:
                out[at] = mutated(name, out[at], random_)
    return out


def hear(name: str, streams: bool, raw: bytes, cut: int) -> Heard | Failed:
    """Return what the client gets; the dialect's own rules are asserted meanwhile."""
    return Asking(name, streams).hear_raw(raw, cut)


@fuzzed
@given(names, seeds)
@example("anthropic", 47)
@example("bedrock", 8422)  # words of a block behind the end
@example("anthropic", 435)  # text whose block has no start
@example("responses", 1448)  # an item's event without its item
def test_a_disturbed_stream_is_a_reply_or_an_error(name: str, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - a test's
    whole = frames(name, DIALECTS[name].say(reply(random_)))
    given_ = disturbed(name, whole, random_)

    heard = hear(name, True, b"".join(given_), random_.choice([1, 13, 1 << 20]))

    if isinstance(heard, Failed):
        assert 400 <= heard.status < 600
        assert heard.message
    else:
        assert all(isinstance(said, dict) for _, said in heard.calls)


@less
@given(names, seeds)
def test_no_word_is_lost(name: str, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311
    said = [one for one in reply(random_) if not isinstance(one, Words) or one.text not in STRANGE]
    if said and isinstance(said[-1], End):
        said[-1] = End()
    raw = DIALECTS[name].say(said)

    heard = hear(name, True, raw, random_.choice([1, 13, 1 << 20]))

    words = "".join(one.text for one in said if isinstance(one, Words))
    if isinstance(heard, Heard):
        assert heard.text.startswith(words)
    else:
        assert not said or not isinstance(said[-1], End), heard


@less
@given(names, seeds)
@example("responses", 3_436_681_163)  # details without a reason
@example("openai", 2722)  # a message without content
def test_a_disturbed_document_is_a_reply_or_an_error(name: str, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311
    document = json.loads(DIALECTS[name].say_whole(reply(random_)))
    for _ in range(random_.randrange(3)):
        document = changed(document, random_)
    streams = random_.random() < 0.3

    heard = hear(name, streams, json.dumps(document).encode(), 1 << 20)

    if isinstance(heard, Failed):
        assert 400 <= heard.status < 600


@less
@given(names, st.booleans(), seeds)
@example("anthropic", True, 158)  # no UTF-8 in an event's name
@example("anthropic", True, 994)
@example("responses", True, 556)
@example("openai", False, 284)  # a control character in a string of a call's input
@example("ollama", False, 8769)  # U+2028 in a whole reply, which has no lines
def test_broken_bytes_are_a_reply_or_an_error(name: str, streams: bool, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311
    dialect = DIALECTS[name]
    raw = bytearray((dialect.say if streams else dialect.say_whole)(reply(random_)))
    for _ in range(random_.randrange(1, 4)):
        at = random_.randrange(len(raw) + 1)
        until = min(len(raw), at + random_.randrange(20))
        raw[at:until] = random_.choice(
            [b"", b"\x00", b"\n", b"\n\n", b"\xff", b'"', b"{", b"data:"]
        )

    heard = hear(name, streams, bytes(raw), random_.choice([1, 13, 1 << 20]))

    if isinstance(heard, Failed):
        assert 400 <= heard.status < 600
