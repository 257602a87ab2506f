"""Further forms of each kind of fault, one row for each: what a provider sends, what is made of it.

Each row is a form that the reports of tests/data/quirks do not have, of a kind that they do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from openclaude.standins.bedrock.eventstream import event_frame
from tests.unit.gateway.replies.upstreams import HOSTS, LS, TOKENS, Asking, Failed, Heard

BASH, READ = ("Bash", LS), ("Read", HOSTS)
A, B = json.dumps(LS), json.dumps(HOSTS)


class Row(NamedTuple):
    """A provider's bytes, and what a client of its dialect gets; `error` is a part of a message."""

    dialect: str
    raw: bytes
    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    ending: str = ""
    error: str = ""
    streams: bool = True


def lines(*documents: Any, before: str = "data: ", after: str = "\n\n") -> bytes:
    said = [one if isinstance(one, str) else json.dumps(one) for one in documents]
    return "".join(f"{before}{one}{after}" for one in said).encode()


# OpenAI's chat completions ------------------------------------------------------------------------


def chunk(delta: Any = None, reason: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": reason, **more}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


def piece(index: Any, id_: str = "", name: str = "", arguments: Any = None, **more: Any) -> Any:
    function = {"name": name, "arguments": arguments, **more}
    return {"index": index, "id": id_, "type": "function", "function": function}


def chat(*documents: Any, reason: Any = "stop", done: bool = True) -> bytes:
    ends = [chunk(reason=reason)] if reason else []
    return lines(*documents, *ends, *(["[DONE]"] if done else []))


def called(*deltas: Any, calls: tuple[Any, ...] = (BASH, READ), **more: Any) -> Row:
    """A row whose chunks have these calls."""
    raw = chat(*(chunk({"tool_calls": one}) for one in deltas), reason="tool_calls")
    return Row("openai", raw, calls=calls, ending="tool_calls", **more)


def said(*documents: Any, text: str = "hi", ending: str = "stop", **more: Any) -> Row:
    return Row("openai", chat(*documents, **more), text=text, ending=ending)


def whole(message: Any, reason: Any = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "finish_reason": reason, "message": message, **more}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return json.dumps({"id": "c", "choices": [choice], "usage": usage}).encode()


def whole_calls(*calls: Any, of: tuple[Any, ...] = (BASH, READ)) -> Row:
    raw = whole({"role": "assistant", "content": None, "tool_calls": list(calls)}, "tool_calls")
    return Row("openai", raw, calls=of, ending="tool_calls", streams=False)


HI = chunk({"content": "hi"})
CHAT = {
    "one index for all calls of a delta": called(
        [piece(0, "a", "Bash", A), piece(0, "b", "Read", B)]
    ),
    "one index for all calls": called([piece(0, "a", "Bash", A)], [piece(0, "b", "Read", B)]),
    "one index for all calls, in pieces": called(
        [piece(0, "a", "Bash", "")],
        [piece(0, arguments=A)],
        [piece(0, "b", "Read", "")],
        [piece(0, arguments=B[:5])],
        [piece(0, arguments=B[5:])],
    ),
    "one index, one without input": called(
        [piece(0, "a", "Bash", "")],
        [piece(0, "b", "Read", B)],
        calls=(("Bash", {}), READ),
    ),
    "one index and one id, the same tool": called(
        [piece(0, "Bash:0", "Bash", A)],
        [piece(0, "Bash:0", "Bash", '{"command": "pwd"}')],
        calls=(BASH, ("Bash", {"command": "pwd"})),
    ),
    "one call that is sent twice": called(
        [piece(0, "a", "Bash", A)], [piece(0, "a", "Bash", A)], calls=(BASH,)
    ),
    # mudler/LocalAI#9722
    "one id at several indexes": called(
        [piece(0, "a", "Bash", "")],
        [piece(1, "a", "Bash", A)],
        [piece(2, "b", "Read", B)],
    ),
    "one id at several indexes, cut": called(
        [piece(0, "a", "Bash", A[:6])], [piece(1, "a", "Bash", A)], calls=(BASH,)
    ),
    "one call at several indexes": called(
        [piece(0, "a", "Bash", A)], [piece(1, "a", "Bash", A)], calls=(BASH,)
    ),
    "one id for two calls": called([piece(0, "a", "Bash", A)], [piece(1, "a", "Read", B)]),
    "one id for two calls, in turns": called(
        [piece(0, "a", "Bash", A[:5]), piece(1, "a", "Read", B[:5])],
        [piece(0, arguments=A[5:]), piece(1, arguments=B[5:])],
    ),
    # BerriAI/litellm#20480
    "the input once more, encoded twice": called(
        [piece(0, "a", "Bash", A[:6])],
        [piece(0, "a", "", A[6:])],
        [piece(0, "a", "Bash", json.dumps(A))],
        calls=(BASH,),
    ),
    "calls by their indexes": called(
        {"0": piece(None, "a", "Bash", A), "1": piece(None, "b", "Read", B)}
    ),
    "no index and no id": called([piece(None, "", "Bash", A), piece(None, "", "Read", B)]),
    "no index, the id in every piece": called(
        [piece(None, "a", "Bash", A[:5]), piece(None, "b", "Read", B[:5])],
        [piece(None, "b", "", B[5:])],
        [piece(None, "a", "", A[5:])],
    ),
    "an index that is a text": called([piece("0", "a", "Bash", A), piece("1", "b", "Read", B)]),
    "an id of its own in every piece": called(
        [piece(0, "a1", "Bash", A[:7])], [piece(0, "a2", "Bash", A[7:])], calls=(BASH,)
    ),
    "three calls at once": called(
        [piece(0, "a", "Bash", A[:4]), piece(1, "b", "Read", B[:4]), piece(2, "c", "Bash", A[:9])],
        [piece(2, arguments=A[9:]), piece(1, arguments=B[4:]), piece(0, arguments=A[4:])],
        calls=(BASH, READ, BASH),
    ),
    "one call in the place of the list": called(piece(0, "a", "Bash", A), calls=(BASH,)),
    "the input as `parameters`": called([piece(0, "a", "Bash", parameters=LS)], calls=(BASH,)),
    "whole, no ids": whole_calls(piece(None, "", "Bash", A), piece(None, "", "Read", B)),
    "whole, one index": whole_calls(piece(0, "a", "Bash", A), piece(0, "b", "Read", B)),
    "whole, the same call twice": whole_calls(
        piece(0, "a", "Bash", A), piece(0, "b", "Bash", A), of=(BASH, BASH)
    ),
    "whole, the input as `input`": whole_calls(piece(0, "a", "Bash", input=LS), of=(BASH,)),
    "half a call and [DONE]": Row(
        "openai",
        chat(chunk({"tool_calls": [piece(0, "a", "Bash", A[:6])]}), reason=None),
        error="stopped before its end",
    ),
    # GitHub Copilot answers like this for Claude's models
    "a choice for the text and one for the call": Row(
        "openai",
        chat(
            {
                "choices": [
                    {"index": 0, "delta": {"content": "hi"}, "finish_reason": "tool_calls"},
                    {
                        "index": 1,
                        "delta": {"tool_calls": [piece(0, "a", "Bash", A)]},
                        "finish_reason": "tool_calls",
                    },
                ]
            },
            reason=None,
        ),
        text="hi",
        calls=(BASH,),
        ending="tool_calls",
    ),
    "the text of a completion": said(chunk(text="hi")),
    "a delta that is a text": said(chunk("hi")),
    "a delta with `text`": said(chunk({"text": "hi"})),
    "content that is a number": said(chunk({"content": 7}), text="7"),
    # OleksandrChekhovskyi/hax#15
    "another provider's failure beside a plain end": Row(
        "openai",
        lines(HI, chunk(reason="stop", native_finish_reason="network_error"), "[DONE]"),
        error="network_error",
    ),
    "another provider's malformed call beside a plain end": Row(
        "openai",
        lines(chunk(reason="stop", native_finish_reason="MALFORMED_FUNCTION_CALL"), "[DONE]"),
        error="MALFORMED_FUNCTION_CALL",
    ),
    "another provider's word for a plain end": Row(
        "openai",
        lines(HI, chunk(reason="stop", native_finish_reason="completed"), "[DONE]"),
        text="hi",
        ending="stop",
    ),
    "a call once more with the second end": Row(
        "openai",
        lines(
            chunk({"tool_calls": [piece(0, "a", "Bash", A)]}, "tool_calls"),
            chunk({"tool_calls": [piece(0, "a", "Bash", A)]}, "tool_calls"),
            "[DONE]",
        ),
        calls=(BASH,),
        ending="tool_calls",
    ),
    "documents of nothing": Row(
        "openai", lines("null", '""', "[]") + chat(HI), text="hi", ending="stop"
    ),
    "a stream in a stream": Row(
        "openai",
        lines(HI, chunk(reason="stop"), "[DONE]", before="data: data: "),
        text="hi",
        ending="stop",
    ),
    "a refusal in parts": said(
        chunk({"content": [{"type": "refusal", "refusal": "no"}]}),
        text="no",
        ending="content_filter",
    ),
    "a call in parts": Row(
        "openai",
        chat(
            chunk(
                {
                    "content": [
                        {"type": "text", "text": "hi"},
                        {"type": "tool_use", "id": "a", "name": "Bash", "input": LS},
                    ]
                }
            ),
            reason="tool_calls",
        ),
        text="hi",
        calls=(BASH,),
        ending="tool_calls",
    ),
    "content with a picture": said(
        chunk({"content": [{"type": "image_url", "image_url": {}}]}),
        text="[The reply has a part `image_url` here]",
    ),
    "a letter in two halves": said(
        chunk({"content": "a\ud83d"}), chunk({"content": "\ude00b"}), text="a\U0001f600b"
    ),
    "half a letter": said(chunk({"content": "a\ud83db"}), text="a\ufffdb"),
    "half a letter at the end": said(chunk({"content": "a\ud83d"}), text="a\ufffd"),
    "half a letter in an input": called(
        [piece(0, "a", "Bash", '{"command": "x\\ud83dy"}')],
        calls=(("Bash", {"command": "x\ufffdy"}),),
    ),
    "`null` as a reason in every chunk": said(chunk({"content": "hi"}, "null")),
    "a reason that is an object": said(HI, reason={"type": "stop"}),
    "a reason in capitals": said(HI, reason="FINISH_REASON_MAX_TOKENS", ending="length"),
    "a reason with hyphens": said(HI, reason="end-of-turn"),
    "an event that is an error": Row(
        "openai",
        lines(HI) + b'event: error\ndata: {"message": "it broke", "code": 502}\n\n',
        error="it broke",
    ),
    "an error in words of its own": Row(
        "openai",
        lines(HI, {"error_code": 17, "error_msg": "daily request limit reached"}),
        error="daily request limit reached",
    ),
    "an error of MiniMax's": Row(
        "openai",
        lines({"choices": [], "base_resp": {"status_code": 1008, "status_msg": "no balance"}}),
        error="no balance",
    ),
    "a stream whose last words say why": Row(
        "openai",
        lines(HI, {"note": "the worker has gone away"}),
        error="the worker has gone away",
    ),
    "pings of every kind": Row(
        "openai",
        b"event: ping\ndata: ping\n\ndata: [PING]\n\ndata: keep-alive\n\n" + chat(HI),
        text="hi",
        ending="stop",
    ),
    "an end in quotes": Row(
        "openai", lines(HI, chunk(reason="stop"), '"[DONE]"'), text="hi", ending="stop"
    ),
    "lines of JSON for a stream": Row(
        "openai",
        lines(HI, chunk(reason="stop"), before="", after="\n"),
        text="hi",
        ending="stop",
    ),
}

# Anthropic's messages -----------------------------------------------------------------------------


def start(index: Any, **block: Any) -> Any:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any, **part: Any) -> Any:
    return {"type": "content_block_delta", "index": index, "delta": part}


def use(index: Any, id_: str = "a", name: str = "Bash", **more: Any) -> Any:
    return start(index, type="tool_use", id=id_, name=name, **{"input": {}, **more})


def json_of(index: Any, text: Any) -> Any:
    return delta(index, type="input_json_delta", partial_json=text)


def text_of(index: Any, text: str) -> Any:
    return delta(index, type="text_delta", text=text)


STARTED: dict[str, Any] = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
}
STARTED["usage"] = {"input_tokens": 1, "output_tokens": 1}


def message(*events: Any, reason: str = "tool_use", content: Any = ()) -> bytes:
    usage = {"output_tokens": 1}
    told = [
        {"type": "message_start", "message": {**STARTED, "content": list(content)}},
        *events,
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage},
        {"type": "message_stop"},
    ]
    return b"".join(lines(one, before=f"event: {one['type']}\ndata: ") for one in told)


def unnamed(raw: bytes) -> bytes:
    """The same events with their types only in their names."""
    out = b""
    for frame in raw.decode().split("\n\n")[:-1]:
        name, _, data = frame.partition("\n")
        document = json.loads(data.removeprefix("data: "))
        del document["type"]
        out += lines(document, before=f"{name}\ndata: ")
    return out


def native(*events: Any, calls: tuple[Any, ...] = (BASH, READ), text: str = "") -> Row:
    reason = "tool_use" if calls else "end_turn"
    return Row("anthropic", message(*events, reason=reason), text, calls, reason)


def native_whole(content: Any, text: str = "hi") -> Row:
    raw = json.dumps({**STARTED, "content": content, "stop_reason": "end_turn"}).encode()
    return Row("anthropic", raw, text=text, ending="end_turn", streams=False)


TEXT = (
    start(0, type="text", text=""),
    text_of(0, "hi"),
    {"type": "content_block_stop", "index": 0},
)
MESSAGES = {
    "one index for all blocks, without stops": native(
        *TEXT[:2],
        use(0),
        json_of(0, A),
        use(0, "b", "Read"),
        json_of(0, B),
        text="hi",
    ),
    "indexes that are texts": native(
        use("0"), use("1", "b", "Read"), json_of("0", A), json_of("1", B)
    ),
    "a part of the input in the start": native(
        use(0, input={"command": ""}), json_of(0, A), calls=(BASH,)
    ),
    "the input in the start and behind it": native(use(0, input=LS), json_of(0, A), calls=(BASH,)),
    "an input that is a text in the start": native(use(0, input=A), calls=(BASH,)),
    "a piece that is an object": native(use(0), json_of(0, LS), calls=(BASH,)),
    "a start before every piece": native(
        use(0), json_of(0, A[:6]), use(0), json_of(0, A[6:]), calls=(BASH,)
    ),
    "a block without a type": native(start(0, text="hi"), calls=(), text="hi"),
    "a block of a type that nobody knows": native(
        start(0, type="odd", text=""), *TEXT[1:], calls=(), text="hi"
    ),
    "a search, which a slot cannot keep": native(
        start(0, type="server_tool_use", id="s", name="web_search", input={}),
        json_of(0, '{"query": "x"}'),
        {"type": "content_block_stop", "index": 0},
        use(0),
        json_of(0, A),
        text="[The reply has a part `server_tool_use` here]",
        calls=(BASH,),
    ),
    "whole, a search": native_whole(
        [{"type": "web_search_tool_result", "tool_use_id": "s", "content": []}],
        text="[The reply has a part `web_search_tool_result` here]",
    ),
    "types in the events' names only": Row(
        "anthropic", unnamed(message(*TEXT, reason="end_turn")), text="hi", ending="end_turn"
    ),
    "the content in the message's start": Row(
        "anthropic",
        message(reason="end_turn", content=[{"type": "text", "text": "hi"}]),
        text="hi",
        ending="end_turn",
    ),
    "the content in the message's start and in blocks": Row(
        "anthropic",
        message(*TEXT, reason="end_turn", content=[{"type": "text", "text": "hi"}]),
        text="hi",
        ending="end_turn",
    ),
    "whole, content that is a text": native_whole("hi"),
    "whole, blocks that are texts": native_whole(["hi"]),
    "whole, no content": native_whole(None, text=""),
}

# Bedrock's Converse -------------------------------------------------------------------------------


def converse(*events: tuple[str, Any], reason: str = "tool_use") -> bytes:
    told = [("messageStart", {"role": "assistant"}), *events]
    told += [("messageStop", {"stopReason": reason}), ("metadata", {"usage": TOKENS})]
    return b"".join(event_frame(kind, payload) for kind, payload in told)


def uses(index: Any, id_: str, name: str) -> tuple[str, Any]:
    tool = {"toolUse": {"toolUseId": id_, "name": name}}
    return ("contentBlockStart", {"contentBlockIndex": index, "start": tool})


def gives(index: Any, text: str) -> tuple[str, Any]:
    given = {"toolUse": {"input": text}}
    return ("contentBlockDelta", {"contentBlockIndex": index, "delta": given})


CONVERSE = {
    "one index for all blocks": Row(
        "bedrock",
        converse(uses(0, "a", "Bash"), gives(0, A), uses(0, "b", "Read"), gives(0, B)),
        calls=(BASH, READ),
        ending="tool_use",
    ),
    "text in a block's start": Row(
        "bedrock",
        converse(
            ("contentBlockStart", {"contentBlockIndex": 0, "start": {"text": "h"}}),
            ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "i"}}),
            reason="end_turn",
        ),
        text="hi",
        ending="end_turn",
    ),
    "whole, a text and a call in one block": Row(
        "bedrock",
        json.dumps(
            {
                "output": {
                    "message": {
                        "content": [
                            {
                                "text": "hi",
                                "toolUse": {"toolUseId": "a", "name": "Bash", "input": LS},
                            }
                        ]
                    }
                },
                "stopReason": "tool_use",
                "usage": TOKENS,
            }
        ).encode(),
        text="hi",
        calls=(BASH,),
        ending="tool_use",
        streams=False,
    ),
}

# Gemini -------------------------------------------------------------------------------------------


def gemini(*candidates: Any, **expected: Any) -> Row:
    raw = lines(*({"candidates": one if isinstance(one, list) else [one]} for one in candidates))
    return Row("gemini", raw, ending="STOP", **expected)


def parts(*content: Any, **more: Any) -> Any:
    return {"content": {"parts": list(content)}, **more}


CALL = {"name": "Bash", "args": LS}
END = {"finishReason": "STOP"}
GEMINI = {
    "names with underscores": gemini(
        parts({"function_call": CALL}),
        parts({"text": "hi"}, finish_reason="STOP"),
        text="hi",
        calls=(BASH,),
    ),
    "usage that is null": Row(
        "gemini",
        json.dumps(
            {"candidates": [parts({"functionCall": CALL}, **END)], "usageMetadata": None}
        ).encode(),
        calls=(BASH,),
        ending="STOP",
        streams=False,
    ),
    "a text and a call in one part": gemini(
        parts({"text": "hi", "functionCall": CALL}, **END), text="hi", calls=(BASH,)
    ),
    "one part in the place of the list": gemini(
        {"content": {"parts": {"text": "hi"}}, **END}, text="hi"
    ),
    "a candidate for the text and one for the call": gemini(
        [parts({"text": "hi"}), parts({"functionCall": CALL}, **END)], text="hi", calls=(BASH,)
    ),
}

# Ollama -------------------------------------------------------------------------------------------


def line(content: Any = "", **more: Any) -> Any:
    said_ = {"role": "assistant", "content": content}
    said_ |= {key: more.pop(key) for key in ("tool_calls",) if key in more}
    return {"model": "m", "message": said_, "done": False, **more}


def ollama(*documents: Any, before: str = "", after: str = "\n", **expected: Any) -> Row:
    return Row("ollama", lines(*documents, before=before, after=after), ending="stop", **expected)


DONE = line(done=True, done_reason="stop")
FUNCTION = {"function": {"name": "Bash", "arguments": LS}}
OLLAMA = {
    "no `done` beside the reason": ollama(
        line("hi"), {"model": "m", "message": {"content": ""}, "done_reason": "stop"}, text="hi"
    ),
    "one call in the place of the list": ollama(line(tool_calls=FUNCTION), DONE, calls=(BASH,)),
    "a call without its `function`": ollama(
        line(tool_calls=[FUNCTION["function"]]), DONE, calls=(BASH,)
    ),
    "content in parts": ollama(line([{"type": "text", "text": "hi"}]), DONE, text="hi"),
    "server-sent events": ollama(line("hi"), DONE, before="data: ", text="hi"),
    "an event that is an error": Row(
        "ollama", b'event: error\ndata: {"message": "it broke"}\n\n', error="it broke"
    ),
    # ollama/ollama#11781
    "an error as a key": Row(
        "ollama",
        lines({"error parsing tool call": "invalid character 'c'"}, before="", after="\n"),
        error="invalid character 'c'",
    ),
    "several documents on a line": ollama(line("hi"), DONE, after="", text="hi"),
}

# The Responses API --------------------------------------------------------------------------------


def item(id_: str = "c1", name: str = "Bash", arguments: str = A) -> Any:
    return {"type": "function_call", "id": f"fc_{id_}", "call_id": id_, "name": name} | {
        "arguments": arguments
    }


def of_item(kind: str, index: int, **more: Any) -> Any:
    return {"type": f"response.{kind}", "output_index": index, **more}


def response(*items: Any, kind: str = "completed", **more: Any) -> Any:
    return {"type": f"response.{kind}", "response": {"output": list(items), **more}}


def responses(*events: Any, ending: str = "completed", **expected: Any) -> Row:
    created = {"type": "response.created", "response": {"id": "r", "output": []}}
    told = [created, *events]
    raw = b"".join(lines(one, before=f"event: {one['type']}\ndata: ") for one in told)
    return Row("responses", raw, ending="" if "error" in expected else ending, **expected)


def without_index(*events: Any) -> Iterable[Any]:
    return ({key: one[key] for key in one if key != "output_index"} for one in events)


SPOKEN = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
ITEM_DONE = of_item("output_item.done", 0, item=item())
RESPONSES = {
    "a call in the last event only": responses(response(item()), calls=(BASH,)),
    "a call that is told to be done twice": responses(
        ITEM_DONE, ITEM_DONE, response(item()), calls=(BASH,)
    ),
    "one id for two calls": responses(
        ITEM_DONE,
        of_item("output_item.done", 1, item=item("c1", "Read", B)),
        response(item(), item("c1", "Read", B)),
        calls=(BASH, READ),
    ),
    "one id for two calls, in the last event only": responses(
        response(item(), item("c1", "Read", B)), calls=(BASH, READ)
    ),
    "a call that its end writes in another way": responses(
        ITEM_DONE, response(item(arguments=json.dumps(LS, indent=1))), calls=(BASH,)
    ),
    "a text in its part's end": responses(
        of_item("content_part.done", 0, part={"type": "output_text", "text": "hi"}),
        response(),
        text="hi",
    ),
    "one index for all calls": responses(
        of_item("output_item.added", 0, item=item(arguments="")),
        of_item("function_call_arguments.delta", 0, delta=A),
        of_item("output_item.added", 0, item=item("c2", "Read", "")),
        of_item("function_call_arguments.delta", 0, delta=B),
        response(),
        calls=(BASH, READ),
    ),
    "no index": responses(
        *without_index(
            of_item("output_item.added", 0, item=item(arguments="")),
            of_item("output_item.added", 1, item=item("c2", "Read", "")),
            of_item("function_call_arguments.delta", 0, item_id="fc_c1", delta=A[:4]),
            of_item("function_call_arguments.delta", 1, item_id="fc_c2", delta=B),
            of_item("function_call_arguments.delta", 0, item_id="fc_c1", delta=A[4:]),
        ),
        response(),
        calls=(BASH, READ),
    ),
    "a text in the last event, behind a call": responses(
        ITEM_DONE, response(item(), SPOKEN), text="hi", calls=(BASH,)
    ),
    "a text in its own end": responses(
        of_item("output_text.done", 0, text="hi"), response(SPOKEN), text="hi"
    ),
    "a text in its item's end": responses(
        of_item("output_item.done", 0, item=SPOKEN), response(SPOKEN), text="hi"
    ),
    "the rest of a text in the last event": responses(
        of_item("output_text.delta", 0, delta="h"), response(SPOKEN), text="hi"
    ),
    "a first event with an output that is none": responses(
        {"type": "response.in_progress", "response": {"id": "r", "output": -1}},
        of_item("output_text.delta", 0, delta="hi"),
        response(),
        text="hi",
    ),
    "a refusal": responses(
        of_item("refusal.delta", 0, delta="no"), response(), text="no", ending="content_filter"
    ),
    "a refusal in its own end": responses(
        of_item("refusal.done", 0, refusal="no"), response(), text="no", ending="content_filter"
    ),
    "an end with another name": responses(
        of_item("output_text.delta", 0, delta="hi"), response(kind="done"), text="hi"
    ),
    "an end that has failed": responses(
        of_item("output_text.delta", 0, delta="hi"),
        response(status="failed", error={"message": "it broke"}),
        error="it broke",
    ),
    "whole, an item that nobody knows": Row(
        "responses",
        json.dumps({"status": "completed", "output": [{"type": "odd", "id": "o"}]}).encode(),
        text="[The reply has a part `odd` here]",
        ending="completed",
        streams=False,
    ),
    "whole, `output_text` alone": Row(
        "responses",
        json.dumps({"status": "completed", "output": [], "output_text": "hi"}).encode(),
        text="hi",
        ending="completed",
        streams=False,
    ),
}

ROWS = {
    f"{dialect}: {name}": row
    for dialect, rows in (
        ("chat", CHAT),
        ("messages", MESSAGES),
        ("converse", CONVERSE),
        ("gemini", GEMINI),
        ("ollama", OLLAMA),
        ("responses", RESPONSES),
    )
    for name, row in rows.items()
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("cut", [1 << 20, 7], ids=["at once", "in packets"])
def test_a_form_that_no_report_has_is_read_as_its_kind(name: str, cut: int) -> None:
    row = ROWS[name]

    heard = Asking(row.dialect, row.streams).hear_raw(row.raw, cut)

    if row.error:
        assert isinstance(heard, Failed), heard
        assert row.error in heard.message
        return
    assert isinstance(heard, Heard), heard
    assert (heard.text, tuple(heard.calls), heard.ending) == (row.text, row.calls, row.ending)
    assert len(set(heard.ids)) == len(heard.ids)
