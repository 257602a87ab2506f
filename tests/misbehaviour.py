"""What real providers send that they should not: kinds of faults, as any dialect says them.

Knows: each kind, who can say it, and what claude has to get of it. The kinds come from public bug
reports (`tests/data/quirks`). Independent of: how a dialect writes it (`upstreams`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.unit.gateway.replies.upstreams import (
    DIALECTS,
    HOSTS,
    LS,
    End,
    Piece,
    Said,
    Words,
)

BOTH = (True, False)
ALL = tuple(DIALECTS)
PIECEWISE = ("openai", "responses", "bedrock", "anthropic")  # a call's input comes in pieces
BASH = Piece(0, "id-of-bash", "Bash", json.dumps(LS))
READ = Piece(1, "id-of-read", "Read", json.dumps(HOSTS))
LS_CALL, READ_CALL = ("Bash", LS), ("Read", HOSTS)
SEPARATED = "a\u2028b\u2029c\u0085d"
FENCED = (
    f"Write this:\n```\n<tool_call>{json.dumps({'name': 'Bash', 'arguments': LS})}</tool_call>\n```"
)
WRITTEN = f"<tool_call>\n{json.dumps({'name': 'Bash', 'arguments': LS})}\n</tool_call>"


class Kind(NamedTuple):
    """One kind of fault, and what is made of it: words, calls and a reason; or an error's words."""

    said: tuple[Said, ...] = ()
    raw: bytes | None = None  # in place of a reply in the dialect
    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    reason: str = ""
    error: str = ""  # a part of the message; "?" for any
    dialects: tuple[str, ...] = ALL
    streamed: tuple[bool, ...] = BOTH
    says_as: bool | None = None  # as a stream or as a whole, whatever was asked for


def called(*said: Said, calls: tuple[tuple[str, Any], ...] = (LS_CALL,), **more: Any) -> Kind:
    """A kind in which tools are called."""
    return Kind(said=(*said, End()), calls=calls, reason="tool_use", **more)


def failed(error: str, *said: Said, **more: Any) -> Kind:
    """A kind that is an error."""
    return Kind(said=said, error=error, **more)


def no_reply(raw: bytes, error: str) -> Kind:
    """A body that is not a reply."""
    return Kind(raw=raw, error=error)


def unreadable(arguments: str) -> tuple[str, Any]:
    """A call whose input the model has to write again."""
    return ("Bash", {"_unreadable_arguments": arguments})


def with_input(arguments: str) -> Piece:
    """A call with this input."""
    return BASH._replace(arguments=arguments)


KINDS: dict[str, Kind] = {
    "polite words": Kind((Words("Hel"), Words("lo"), End()), text="Hello", reason="end_turn"),
    "polite calls": called(Words("Hm."), BASH, READ, text="Hm.", calls=(LS_CALL, READ_CALL)),
    "nothing said": Kind((End(),), text="(no content)", reason="end_turn"),
    "ids that repeat": called(
        BASH, READ._replace(id="id-of-bash"), calls=(LS_CALL, READ_CALL), dialects=PIECEWISE
    ),
    "an id of another form": called(BASH._replace(id="functions.Bash:0"), dialects=PIECEWISE),
    "a long id": called(BASH._replace(id="x" * 200), dialects=PIECEWISE),
    "one index for all calls": called(
        BASH,
        READ._replace(key=0),
        calls=(LS_CALL, READ_CALL),
        dialects=("openai",),
        streamed=(True,),
    ),
    "interleaved calls": called(
        Piece(0, "a", "Bash", '{"comm'),
        Piece(1, "b", "Read", '{"file'),
        Piece(0, arguments='and": "ls -la"}'),
        Piece(1, arguments='_path": "/etc/hosts"}'),
        calls=(LS_CALL, READ_CALL),
        dialects=PIECEWISE,
        streamed=(True,),
    ),
    "the name in every chunk": called(
        Piece(0, "a", "Bash", '{"com'),
        Piece(0, "a", "Bash", 'mand": "ls -la"}'),
        dialects=("openai",),
        streamed=(True,),
    ),
    "the name behind the input": called(
        Piece(0, "", "", json.dumps(LS)),
        Piece(0, "a", "Bash", ""),
        dialects=("openai",),
        streamed=(True,),
    ),
    "input encoded twice": called(with_input(json.dumps(json.dumps(LS)))),
    "input null": called(with_input("null"), calls=(("Bash", {}),)),
    "input a list": called(with_input('["ls -la"]'), calls=(unreadable('["ls -la"]'),)),
    "input a number": called(with_input("7"), calls=(unreadable("7"),)),
    "input broken": called(
        with_input('{"command" "ls -la"}'), calls=(unreadable('{"command" "ls -la"}'),)
    ),
    "input with a comma too many": called(with_input('{"command": "ls -la",}')),
    "a name with blanks": called(BASH._replace(name=" Bash ")),
    "a name with its namespace": called(BASH._replace(name="functions.Bash")),
    "a name with a token": called(BASH._replace(name="Bash<|channel|>commentary")),
    "a name with words around it": called(BASH._replace(name="commentary to=functions.Bash")),
    "a name in small letters": called(BASH._replace(name="bash")),
    "a tool that was not offered": Kind(
        (BASH._replace(name="Frobnicate"), End()),
        text="not offered, `Frobnicate`",
        reason="end_turn",
    ),
    "separators of lines": called(
        Words(SEPARATED),
        with_input(json.dumps({"command": SEPARATED}, ensure_ascii=False)),
        text=SEPARATED,
        calls=(("Bash", {"command": SEPARATED}),),
    ),
    "a call as text": called(Words(WRITTEN)),
    "a call as text behind words": called(
        Words("I look. "), Words(WRITTEN.replace("\n", "")), text="I look. "
    ),
    "a call as text without its end": called(Words(WRITTEN.removesuffix("\n</tool_call>"))),
    "a call as text in a code block": Kind((Words(FENCED), End()), text=FENCED, reason="end_turn"),
    "a thought in the text": Kind(
        (Words("<think>hm, hm</think>\n\n"), Words("Hi"), End()), text="Hi", reason="end_turn"
    ),
    "a token left over": Kind(
        (Words("Hi"), Words("<|im_end|>"), End()), text="Hi", reason="end_turn"
    ),
    "an end that never came": failed("?", Words("Now I will"), streamed=(True,)),
    "an end that never came, in a call": failed("?", BASH, streamed=(True,)),
    "an end that is a failure": failed("?", Words("Now I"), End("network_error")),
    "an end that nobody knows": failed("?", Words("Now I"), End("new_reason")),
    "an error document": no_reply(
        b'{"error": {"message": "Provider returned error", "code": 502}}', "?"
    ),
    "a captive portal": no_reply(b"<html><body>Sign in to the Wi-Fi</body></html>", "?"),
    "an empty body": no_reply(b"", "?"),
    "null": no_reply(b"null", "?"),
    "the end alone": no_reply(b"data: [DONE]\n\n", "?"),
    "a whole reply for a stream": called(
        Words("Whole."), BASH, text="Whole.", streamed=(True,), says_as=False
    ),
    "a stream for a whole reply": called(
        Words("Hel"), Words("lo"), BASH, text="Hello", streamed=(False,), says_as=True
    ),
}
# A reply that was cut at its longest, which each dialect says in its own word
CUT = Kind(text="Hel", reason="max_tokens")
ROWS = [
    (kind, dialect, streams)
    for kind, one in KINDS.items()
    for dialect in one.dialects
    for streams in one.streamed
]

EVENTS, DOCUMENT = b"text/event-stream", b"application/json"
AT_AWS = b"application/vnd.amazon.eventstream"
STREAMS = {"bedrock": AT_AWS, "invoke": AT_AWS, "ollama": b"application/x-ndjson"}


def http_reply(dialect: str, body: bytes, *, streams: bool) -> bytes:
    """A 200 of a provider's, with its head."""
    kind = STREAMS.get(dialect, EVENTS) if streams else DOCUMENT
    return b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\n\r\n" + body


def say(dialect: str, said: Iterable[Said], *, streams: bool) -> bytes:
    """A reply in a dialect."""
    return (DIALECTS[dialect].say if streams else DIALECTS[dialect].say_whole)(said)


def reply_of(kind: str, dialect: str, *, streams: bool) -> bytes:
    """What a provider of this dialect answers."""
    one = KINDS[kind]
    says_as = streams if one.says_as is None else one.says_as
    body = say(dialect, one.said, streams=says_as) if one.raw is None else one.raw
    return http_reply(dialect, body, streams=says_as)
