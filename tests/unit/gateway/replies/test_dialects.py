"""Each kind of fault, in each dialect that can express it, streamed and whole: a client's view."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from tests.unit.gateway.replies.upstreams import (
    DIALECTS,
    HOSTS,
    LS,
    TOKENS,
    Asking,
    End,
    Failed,
    Piece,
    Words,
    in_chunks,
)

PIECEWISE = (
    "openai",
    "responses",
    "bedrock",
    "invoke",
    "anthropic",
)  # a call's input comes in pieces
WITH_IDS = PIECEWISE
FRAMED = ("bedrock", "invoke")  # in AWS's event stream
every = pytest.mark.parametrize("name", DIALECTS)
both = pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
BASH = Piece(0, "id-of-bash", "Bash", json.dumps(LS))
READ = Piece(1, "id-of-read", "Read", json.dumps(HOSTS))


@every
@both
def test_a_polite_reply_is_heard_as_it_was_said(name: str, streams: bool) -> None:
    heard = Asking(name, streams).hear(Words("Hel"), Words("lo"), BASH, READ, End())

    assert (heard.text, heard.calls) == ("Hello", [("Bash", LS), ("Read", HOSTS)])
    assert heard.ids in ((), ("id-of-bash", "id-of-read"))


@every
@both
def test_polite_words_keep_their_bytes(name: str, streams: bool) -> None:
    asking = Asking(name, streams, model="qwen3-coder")
    raw = asking.say(Words("Hello, this is a longer text"), Words(" of two pieces"), End())
    raw = raw.replace(b"\r\n", b"\n")

    passed = asking.pass_raw(raw, cut=16)  # no two pieces in one packet
    if (name, streams) == ("invoke", True):  # its last event, with AWS's counts, is written anew
        assert isinstance(passed, bytes)
        raw, passed = (frames[: frames.rindex(b":event-type") - 13] for frames in (raw, passed))
    assert passed == raw


@every
@pytest.mark.parametrize("cut", [1, 7, 100])
def test_it_does_not_matter_where_the_network_cuts(name: str, cut: int) -> None:
    asking = Asking(name, True)
    raw = asking.say(Words("Hé"), Words("llo 😀"), BASH, READ, End())

    assert asking.hear_raw(raw, cut) == asking.hear_raw(raw)


def shown(name: str, raw: bytes) -> bytes:
    """What a stream says in pieces, readable."""
    if name == "responses":  # which repeats the whole text at its end
        return raw.partition(b'"response.completed"')[0]
    if name != "invoke":
        return raw
    events = re.findall(rb'"bytes": ?"([^"]+)"', raw)
    return b"".join(base64.b64decode(event) for event in events)


@every
def test_pieces_that_arrive_together_leave_as_one(name: str) -> None:
    asking = Asking(name, True, model="qwen3-coder")
    pieces = [Words(f"piece {number} of a text, ") for number in range(50)]
    said: list[Words | Piece | End] = [*pieces, BASH, READ, Words("and "), Words("more"), End()]
    raw = asking.say(*said)

    together, apart = asking.pass_raw(raw), asking.pass_raw(raw, cut=16)

    assert isinstance(together, bytes)
    assert isinstance(apart, bytes)
    assert shown(name, together).count(b"of a text, piece ") == 49
    assert shown(name, apart).count(b"of a text, piece ") == 0
    dialect = DIALECTS[name]
    assert dialect.hear(together) == dialect.hear(apart) == asking.hear(*said)
    assert dialect.hear(together).text == "".join(one.text for one in pieces) + "and more"


@every
@pytest.mark.parametrize("cut", [1 << 20, 300, 1000])
def test_what_precedes_a_failure_is_passed_on_whatever_arrives_with_it(name: str, cut: int) -> None:
    asking = Asking(name, True, model="qwen3-coder")
    raw = asking.say(*(Words(f"piece {number}, ") for number in range(9)))
    broken = dict.fromkeys(FRAMED, b"\x00" * 16).get(name, b"data: {nothing\n\n")

    failed = asking.pass_raw(raw + broken, cut)

    assert isinstance(failed, Failed)
    before = shown(name, failed.before)
    assert [before.count(b"piece %d" % number) for number in range(9)] == [1] * 9


@every
def test_words_are_not_held_back(name: str) -> None:
    asking = Asking(name, True, model="qwen3-coder")
    raw = asking.say(Words("Hello, this is a text"), Words(" of two pieces"))

    passed = asking.pass_raw(raw)

    assert isinstance(passed, Failed)
    told = json.dumps(in_chunks(passed.before)).encode() if name == "invoke" else passed.before
    assert b"of two pieces" in told


@both
@pytest.mark.parametrize("name", WITH_IDS)
def test_ids_are_valid_and_unique_in_the_whole_conversation(name: str, streams: bool) -> None:
    calls = (BASH._replace(id="Bash:0"), READ._replace(id="used"), Piece(2, "twice", "Bash", "{}"))
    asking = Asking(name, streams, ids=("used", "Bash:0"))

    heard = asking.hear(*calls, Piece(3, "twice", "Read", "{}"), End())

    assert heard.ids == ("Bash_0_token0", "used_token1", "twice", "twice_token2")


@pytest.mark.parametrize("name", PIECEWISE)
def test_calls_that_are_open_at_once_are_told_apart(name: str) -> None:
    pieces = [
        Piece(0, "a", "Bash", '{"comm'),
        Piece(1, "b", "Read", '{"file'),
        Piece(0, arguments='and": "ls -la"}'),
        Piece(1, arguments='_path": "/etc/hosts"}'),
    ]

    heard = Asking(name, True).hear(*pieces, End())

    assert heard.calls == [("Bash", LS), ("Read", HOSTS)]


@pytest.mark.parametrize(
    "pieces",
    [
        [Piece(0, "a", "Bash", '{"com'), Piece(0, "a", "Bash", 'mand": "ls -la"}')],
        [Piece(0, "a", "", '{"comm'), Piece(0, "", "Bash", 'and": "ls -la"}')],
        [Piece(0, "a", "", ""), Piece(0, "", "Bash", ""), Piece(0, "", "", json.dumps(LS))],
        [Piece(0, "", "", json.dumps(LS)), Piece(0, "a", "Bash", "")],
        [Piece(0, "a", "Ba"), Piece(0, "", "sh"), Piece(0, "", "", json.dumps(LS))],
    ],
    ids=["in every chunk", "behind the input", "behind the id", "last", "in pieces"],
)
def test_a_name_may_come_at_any_time(pieces: list[Piece]) -> None:
    heard = Asking("openai", True).hear(*pieces, End())

    assert heard.calls == [("Bash", LS)]


def test_a_name_in_pieces_is_not_the_tool_that_it_begins_with() -> None:
    pieces = [Piece(0, "a", "Read"), Piece(0, "", "McpResource"), Piece(0, "", "", "{}")]

    heard = Asking("openai", True, names=("Read", "ReadMcpResource")).hear(*pieces, End())

    assert heard.calls == [("ReadMcpResource", {})]


def test_a_call_is_told_to_have_begun_before_it_is_whole() -> None:
    asking = Asking("openai", True)
    pieces = [Piece(0, arguments=one) for one in '{"command": "a long command line"}']

    passed = asking.pass_raw(asking.say(Piece(0, "a", "Bash"), *pieces))

    assert isinstance(passed, Failed)
    assert passed.before.count(b'"name": "Bash"') == 1
    assert passed.before.count(b'"function": {"arguments": ""}') == 4  # keep-alive signs


ARGUMENTS = {
    "object": (json.dumps(LS), LS),
    "twice": (json.dumps(json.dumps(LS)), LS),
    "null": ("null", {}),
    "list": ('["ls -la"]', {"_unreadable_arguments": '["ls -la"]'}),
    "number": ("7", {"_unreadable_arguments": "7"}),
    "broken": ('{"command" "ls -la"}', {"_unreadable_arguments": '{"command" "ls -la"}'}),
    "a comma too many": ('{"command": "ls -la",}', LS),
    "commas in a text": ('{"command": "a,}\\",]", "b": [1,],}', {"command": 'a,}",]', "b": [1]}),
    "python's notation": ("{'command': 'ls -la', 'all': True}", {**LS, "all": True}),
    "python's notation, no value": (
        "{'command': x()}",
        {"_unreadable_arguments": "{'command': x()}"},
    ),
    "python's notation, a set": ("{'a': {1}}", {"_unreadable_arguments": "{'a': {1}}"}),
    "nothing, in Python": ("None", {}),
    "nothing, in JavaScript": ("undefined", {}),
    "nothing, in PHP": ("[]", {}),
    "a byte order mark": ('\ufeff{"command": "ls -la"}', LS),
    "a code fence": ('```json\n{"command": "ls -la"}\n```', LS),
    "a tag behind it": ('{"command": "ls -la"}</tool_call>', LS),
    "control character": ('{"command": "a\x01b"}', {"command": "a\x01b"}),
    "not a number": ('{"a": NaN}', {"_unreadable_arguments": '{"a": NaN}'}),
    "cut": ('{"comm', {"_unreadable_arguments": '{"comm'}),
}


@every
@both
@pytest.mark.parametrize("kind", ARGUMENTS)
def test_an_input_is_always_an_object(name: str, streams: bool, kind: str) -> None:
    said, expected = ARGUMENTS[kind]

    heard = Asking(name, streams).hear(BASH._replace(arguments=said), End())

    assert heard.calls == [("Bash", expected)]


@pytest.mark.parametrize("name", PIECEWISE)
@pytest.mark.parametrize(
    "pieces",
    [
        ['{"comman', '{"command": "l', '{"command": "ls -la"}'],
        ["", '{"command": "ls -la"}', ""],
        ["{}", '{"command": "ls -la"}'],
        ['{"command": "ls -la"}', '{"command": "ls -la"}'],
        ['{"command": "ls -la"}', "}"],
        ['{"command": ', '"ls -la"}<|im_end|>'],
        ['{"command": ', '"ls -la"}', json.dumps('{"command": "ls -la"}')],
    ],
)
def test_pieces_that_make_no_json_together_are_understood(name: str, pieces: list[str]) -> None:
    said = [Piece(0, "a" * (not at), "Bash" * (not at), one) for at, one in enumerate(pieces)]

    assert Asking(name, True).hear(*said, End()).calls == [("Bash", LS)]


@both
@pytest.mark.parametrize("name", ["openai", "bedrock", "anthropic", "gemini", "ollama"])
def test_no_input_is_an_empty_one(name: str, streams: bool) -> None:
    asking = Asking(name, streams)
    raw = asking.say(BASH._replace(arguments='"NOTHING"'), End())
    for key in (b'"args"', b'"arguments"', b'"input"'):
        raw = raw.replace(b', %s: "NOTHING"' % key, b"").replace(
            b', %s: "\\"NOTHING\\""' % key, b""
        )
    if streams and name in PIECEWISE:
        raw = asking.say(BASH._replace(arguments=""), End())

    heard = asking.hear_raw(raw)

    assert not isinstance(heard, Failed)
    assert heard.calls == [("Bash", {})]


@every
@both
@pytest.mark.parametrize(
    "spoken",
    [
        *(" Bash ", "functions.Bash", "Bash<|channel|>commentary", "bash", "functions.Bash:0"),
        *("<|constrain|>Bash", "Bash json", "commentary to=functions.Bash", "functions_Bash"),
        *("Bash()", "`Bash`:", "repo_browser.Bash", "\u200bBash", "<function=Bash>", "Bash Bash"),
    ],
)
def test_a_decorated_name_is_the_tool_that_was_offered(
    name: str, streams: bool, spoken: str
) -> None:
    heard = Asking(name, streams).hear(BASH._replace(name=spoken), End())

    assert heard.calls == [("Bash", LS)]


@every
@both
def test_a_tool_that_was_not_offered_is_said_in_words(name: str, streams: bool) -> None:
    heard = Asking(name, streams).hear(BASH._replace(name="Frobnicate<|x|>"), End())

    assert heard.calls == []
    assert "not offered, `Frobnicate<|x|>`" in heard.text
    assert heard.ending.lower() in {"stop", "end_turn", "completed"}


@pytest.mark.parametrize("spoken", ["Bash Read", "Bash_2", "bashful", "container.exec", "..", ""])
def test_a_name_that_may_be_another_tool_is_not_guessed(spoken: str) -> None:
    heard = Asking("openai", True).hear(BASH._replace(name=spoken), End())

    assert heard.calls == []
    assert f"not offered, `{spoken}`" in heard.text


def test_a_tool_of_claudes_that_was_not_offered_is_left_to_claude() -> None:
    heard = Asking("openai", True).hear(BASH._replace(name="Write"), End())

    assert heard.calls == [("Write", LS)]


@every
@both
def test_a_reply_that_was_cut_in_a_call_says_so(name: str, streams: bool) -> None:
    dialect = DIALECTS[name]

    heard = Asking(name, streams).hear(BASH._replace(arguments='{"com'), End(dialect.cut))

    assert heard.ending == dialect.cut


# Endings ------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("said", [[Words("Now I will")], [BASH], []], ids=["words", "call", "none"])
def test_a_stream_without_the_providers_end_is_an_error(name: str, said: list[Any]) -> None:
    asking = Asking(name, True, model="qwen3-coder")

    heard = asking.hear_raw(asking.say(*said))

    assert isinstance(heard, Failed)
    assert heard.status == 503
    assert ("end" in heard.message) or (name in ("gemini", "ollama") and "empty" in heard.message)
    assert bool(heard.before) == bool(said) or name in ("gemini", "ollama")


@every
@both
@pytest.mark.parametrize("reason", ["network_error", "error", "abort", "malformed_tool_use", "new"])
def test_an_end_that_is_none_is_an_error(name: str, streams: bool, reason: str) -> None:
    asking = Asking(name, streams)

    heard = asking.hear_raw(asking.say(Words("Now I"), End(reason)))

    assert isinstance(heard, Failed)
    assert reason in heard.message or name == "responses"


NO_REPLIES = {
    "error": b'{"error": {"message": "Provider returned error", "code": 502}}',
    "foreign": b'{"code": 500, "msg": "404 NOT_FOUND", "success": false}',
    "html": b"<html><body>Sign in to the Wi-Fi</body></html>",
    "words": b"upstream connect error",
    "empty": b"",
    "blank": b"\n\n",
    "done": b"data: [DONE]\n\n",
    "list": b"[]",
    "null": b"null",
}


@every
@both
@pytest.mark.parametrize("kind", NO_REPLIES)
def test_a_body_that_is_no_reply_is_an_error_that_says_what_it_is(
    name: str, streams: bool, kind: str
) -> None:
    heard = Asking(name, streams).hear_raw(NO_REPLIES[kind])

    assert isinstance(heard, Failed)
    assert heard.status == {"error": 502, "foreign": 500}.get(kind, 503)
    assert not heard.before
    if kind in {"error", "foreign", "html", "words"} and name not in FRAMED:
        word = {"error": "Provider returned", "foreign": "404 NOT", "html": "Wi-Fi"}.get(kind, "up")
        assert word in heard.message


@every
def test_a_whole_reply_is_told_as_the_stream_that_was_asked_for(name: str) -> None:
    raw = Asking(name, False).say(Words("Whole."), BASH, End())

    heard = Asking(name, True).hear_raw(raw)

    assert not isinstance(heard, Failed)
    assert (heard.text, heard.calls) == ("Whole.", [("Bash", LS)])


@every
def test_a_stream_is_told_as_the_whole_reply_that_was_asked_for(name: str) -> None:
    raw = Asking(name, True).say(Words("Hel"), Words("lo"), BASH, End())

    heard = Asking(name, False).hear_raw(raw)

    assert not isinstance(heard, Failed)
    assert (heard.text, heard.calls) == ("Hello", [("Bash", LS)])


@both
@pytest.mark.parametrize("name", ["openai", "ollama"])
def test_a_role_that_nobody_knows_is_the_assistants(name: str, streams: bool) -> None:
    asking = Asking(name, streams)
    raw = asking.say(Words("Hi"), End()).replace(b'"assistant"', b'"ass{t"')

    passed = asking.pass_raw(raw)

    assert isinstance(passed, bytes)
    assert b"ass{t" not in passed
    assert b"Hi" in passed


@every
@both
def test_a_provider_may_truly_say_nothing(name: str, streams: bool) -> None:
    heard = Asking(name, streams).hear(End())

    assert (heard.text, heard.calls) == ("", [])


# Bytes --------------------------------------------------------------------------------------------

SEPARATORS = "a\u2028b\u2029c\u0085d\x1ce"


@every
@both
def test_separators_of_lines_are_text(name: str, streams: bool) -> None:
    given = json.dumps({"command": SEPARATORS}, ensure_ascii=False)

    heard = Asking(name, streams).hear(Words(SEPARATORS), BASH._replace(arguments=given), End())

    assert (heard.text, heard.calls) == (SEPARATORS, [("Bash", {"command": SEPARATORS})])


@pytest.mark.parametrize("name", ["openai", "responses", "gemini", "anthropic"])
@pytest.mark.parametrize(
    "between", [b"data:\n\n", b"data: \n\n", b": ping\n\n", b"retry: 3000\n\n", b"id: 7\n\n"]
)
@pytest.mark.parametrize("ends", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_what_server_sent_events_may_hold_beside_data_is_passed_over(
    name: str, between: bytes, ends: bytes
) -> None:
    asking = Asking(name, True)
    raw = asking.say(Words("Hel"), Words("lo"), End()).replace(b"\r\n", b"\n")
    mixed = (between + between.join(one + b"\n\n" for one in raw.split(b"\n\n") if one)).replace(
        b"\n", ends[: len(ends) // 2]
    )

    heard = asking.hear_raw(mixed)

    assert not isinstance(heard, Failed)
    assert heard.text == "Hello"


@pytest.mark.parametrize("name", ["openai", "responses", "gemini", "anthropic", "ollama"])
def test_what_cannot_be_read_is_not_passed_over(name: str) -> None:
    asking = Asking(name, True, model="qwen3-coder")
    raw = asking.say(Words("Hello"), Words(" there"), End())
    mark = b'"' + b" there" + b'"'

    heard = asking.hear_raw(raw.replace(mark, b'" there'))

    assert isinstance(heard, Failed)
    assert b"Hello" in heard.before


def test_an_error_in_the_middle_keeps_its_words_and_its_status() -> None:
    asking = Asking("openai", True)
    error = b'data: {"error": {"message": "out of credits", "code": 402}}\n\n'

    heard = asking.hear_raw(asking.say(Words("x" * 40)) + error)

    assert isinstance(heard, Failed)
    assert (heard.status, heard.message) == (402, "out of credits")
    assert b"x" * 40 in heard.before


# One dialect's own ------------------------------------------------------------------------------


@both
def test_a_refusal_is_its_words(streams: bool) -> None:
    key = '"delta"' if streams else '"message"'
    asking = Asking("openai", streams)
    raw = asking.say(Words("No."), End()).decode()
    assert key in raw

    heard = asking.hear_raw(raw.replace('"content": "No."', '"refusal": "No."').encode())

    assert not isinstance(heard, Failed)
    assert (heard.text, heard.ending) == ("No.", "content_filter")


@both
def test_content_may_be_a_list_of_parts(streams: bool) -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "Hi"},
    ]
    asking = Asking("openai", streams)
    raw = asking.say(Words("Hi"), End()).replace(b'"Hi"', json.dumps(parts).encode())

    heard = asking.hear_raw(raw)

    assert not isinstance(heard, Failed)
    assert heard.text == "Hi"


def test_several_calls_in_one_chunk_are_several() -> None:
    calls = [
        {"index": at, "id": f"c{at}", "function": {"name": name, "arguments": json.dumps(said)}}
        for at, (name, said) in enumerate([("Bash", LS), ("Read", HOSTS)])
    ]
    asking = Asking("openai", True)
    raw = asking.say(Words("MARK"), End()).replace(
        b'"content": "MARK"', b'"tool_calls": ' + json.dumps(calls).encode()
    )

    heard = asking.hear_raw(raw)

    assert not isinstance(heard, Failed)
    assert heard.calls == [("Bash", LS), ("Read", HOSTS)]


def test_a_third_partys_stream_is_put_in_order() -> None:
    first = {"type": "message_start", "message": {"id": "m", "type": "message"}}
    use = {"type": "tool_use", "id": "functions.Bash:0", "name": "Bash", "input": LS}
    events = [
        first,
        first,
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": "Hi"},
        },
        {"type": "content_block_start", "index": 1, "content_block": use},
        {"type": "message_delta", "delta": {"stop_reason": "tool_calls"}},
        {"type": "message_stop"},
    ]
    raw = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)

    heard = Asking("anthropic", True).hear_raw(raw)

    assert not isinstance(heard, Failed)
    assert heard == ("Hi", [("Bash", LS)], "tool_use", ("functions_Bash_0_token0",))


@pytest.mark.parametrize("name", ["id", "type", "role", "model", "content", "stop_reason", "usage"])
@pytest.mark.parametrize("value", [..., None, "user", 7, [], {}, [{"type": "text", "text": ""}]])
def test_the_start_of_a_third_partys_message_is_a_start(name: str, value: Any) -> None:
    asking = Asking("anthropic", True)
    events = [json.loads(line[6:]) for line in asking.say(Words("Hi"), End()).splitlines()[1::3]]
    events[0]["message"][name] = value
    if value is ...:
        del events[0]["message"][name]

    said = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
    heard = asking.hear_raw("".join(said).encode())

    assert not isinstance(heard, Failed)
    assert (heard.text, heard.ending) == ("Hi", "end_turn")


def test_a_third_party_may_leave_the_reason_of_its_end_out() -> None:
    asking = Asking("anthropic", True)
    raw = asking.say(Words("Hi"), End())
    start = raw.index(b"event: message_delta")

    heard = asking.hear_raw(raw[:start] + raw[raw.index(b"event: message_stop") :])

    assert not isinstance(heard, Failed)
    assert (heard.text, heard.ending) == ("Hi", "end_turn")


@pytest.mark.parametrize("usage", [None, {}, [], {"inputTokens": "many"}, {"outputTokens": 5}])
def test_a_reply_of_bedrocks_has_every_count(usage: Any) -> None:
    said = json.loads(DIALECTS["bedrock"].say_whole([Words("Hi"), End()]))

    passed = Asking("bedrock", False).pass_raw(json.dumps(said | {"usage": usage}).encode())

    assert isinstance(passed, bytes)
    counts = json.loads(passed)["usage"]
    assert counts | {"outputTokens": 0} == dict.fromkeys(TOKENS, 0)
    assert counts["outputTokens"] == (5 if usage == {"outputTokens": 5} else 0)
