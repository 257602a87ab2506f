"""Every dialect's replies, written from one description and parsed by its own specification."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from openclaude.gateway.replies.events import ReplyFailed
from openclaude.gateway.replies.polite import Filters
from openclaude.standins.bedrock.eventstream import event_frame

TOOLS = {
    "Bash": {"type": "object", "properties": {"command": {"type": "string"}}},
    "Read": {"type": "object", "properties": {"file_path": {"type": "string"}}},
}
LS = {"command": "ls -la"}
HOSTS = {"file_path": "/etc/hosts"}


class Words(NamedTuple):
    """Text of an answer."""

    text: str


class Piece(NamedTuple):
    """A piece of a call; a whole reply has all pieces of a call in one."""

    key: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class End(NamedTuple):
    """The provider's end; `reason` is its word for it, or "" for the usual one."""

    reason: str = ""


Said = Words | Piece | End


class Heard(NamedTuple):
    """What a client of a dialect gets."""

    text: str
    calls: list[tuple[str, Any]]
    ending: str
    ids: tuple[str, ...] = ()


class Dialect(NamedTuple):
    """How requests and replies of one dialect are written and parsed."""

    path: Callable[[bool], str]
    request: Callable[[list[str], list[str]], dict[str, Any]]
    say: Callable[[Iterable[Said]], bytes]
    say_whole: Callable[[Iterable[Said]], bytes]
    hear: Callable[[bytes], Heard]
    hear_whole: Callable[[bytes], Heard]
    cut: str  # its reason for a reply at its maximum length


def joined(said: Iterable[Said]) -> tuple[str, dict[int, Piece], str | None]:
    """Return the text, calls and end of a reply."""
    text, calls, end = "", dict[int, Piece](), None
    for one in said:
        match one:
            case Words():
                text += one.text
            case Piece():
                was = calls.get(one.key, Piece(one.key))
                calls[one.key] = Piece(
                    one.key, was.id or one.id, was.name or one.name, was.arguments + one.arguments
                )
            case End():
                end = one.reason
    return text, calls, end


def value(arguments: str) -> Any:
    """Return an input for a dialect with JSON values: the value of the text, or the text."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def sse(documents: Iterable[Any], *, named: bool = False, end: bytes = b"\n\n") -> bytes:
    """Return documents as server-sent events, without escaping characters."""
    return b"".join(
        (f"event: {one['type']}\n".encode() if named else b"")
        + b"data: "
        + json.dumps(one, ensure_ascii=False).encode()
        + end
        for one in documents
    )


def events(raw: bytes) -> list[Any]:
    """Return the documents of server-sent events, parsed as LiteLLM does: by `splitlines`."""
    lines = raw.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


# OpenAI's chat completions --------------------------------------------------------------------

CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
COUNTS = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def chat_chunks(said: Iterable[Said]) -> Iterable[Any]:
    yield chunk({"role": "assistant", "content": ""})
    has_called = False
    for one in said:
        match one:
            case Words():
                yield chunk({"content": one.text})
            case Piece():
                has_called = True
                function = {"arguments": one.arguments} | ({"name": one.name} if one.name else {})
                call = {"index": one.key, "function": function} | ({"id": one.id} if one.id else {})
                yield chunk({"tool_calls": [call]})
            case End():
                yield chunk({}, one.reason or ("tool_calls" if has_called else "stop"))
                yield {**CHUNK, "choices": [], "usage": COUNTS}


def chunk(delta: Any, reason: str | None = None) -> dict[str, Any]:
    return {**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def chat_say(said: Iterable[Said]) -> bytes:
    said = list(said)
    done = b"data: [DONE]\n\n" if any(isinstance(one, End) for one in said) else b""
    return sse(chat_chunks(said)) + done


def chat_whole(said: Iterable[Said]) -> bytes:
    text, calls, end = joined(said)
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls.values()
        ]
    reason = end or ("tool_calls" if calls else "stop")
    choice = {"index": 0, "message": message, "finish_reason": reason}
    document = {**CHUNK, "object": "chat.completion", "choices": [choice], "usage": COUNTS}
    return json.dumps(document, ensure_ascii=False).encode()


def chat_hear(raw: bytes) -> Heard:
    assert raw.endswith(b"data: [DONE]\n\n")
    text, reason, calls = "", "", list[dict[str, str]]()
    for document in events(raw):
        for choice in document["choices"]:
            assert not reason
            text += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls") or ():
                if "id" in call:
                    assert call["index"] == len(calls)
                    function = call["function"]
                    calls.append({"id": call["id"], "name": function["name"], "said": ""})
                assert call["index"] == len(calls) - 1
                calls[-1]["said"] += call["function"]["arguments"]
            reason = choice["finish_reason"] or ""
    said = [(call["name"], json.loads(call["said"])) for call in calls]
    return Heard(text, said, reason, tuple(call["id"] for call in calls))


def chat_hear_whole(raw: bytes) -> Heard:
    (choice,) = json.loads(raw)["choices"]
    calls = choice["message"].get("tool_calls") or []
    said = [(one["function"]["name"], json.loads(one["function"]["arguments"])) for one in calls]
    ids = tuple(one["id"] for one in calls)
    return Heard(choice["message"]["content"] or "", said, choice["finish_reason"], ids)


def chat_request(names: list[str], ids: list[str]) -> dict[str, Any]:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": TOOLS.get(name, {})}}
        for name in names
    ]
    turns: list[Any] = [{"role": "user", "content": "hi"}]
    for id_ in ids:
        call = {"id": id_, "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
        turns.append({"role": "assistant", "tool_calls": [call]})
        turns.append({"role": "tool", "tool_call_id": id_, "content": "ok"})
    return {"messages": turns, "tools": tools}


# OpenAI's responses -----------------------------------------------------------------------------


def responses_events(said: Iterable[Said]) -> Iterable[Any]:
    said = list(said)
    yield {"type": "response.created", "response": {"id": "r", "object": "response", "output": []}}
    seen = set[int]()
    for one in said:
        match one:
            case Words():
                place = {"item_id": "m", "output_index": 0, "content_index": 0}
                yield {"type": "response.output_text.delta", **place, "delta": one.text}
            case Piece():
                place = {"output_index": one.key + 1}
                if one.key not in seen:
                    seen.add(one.key)
                    item = {"type": "function_call", "id": "fc", "call_id": one.id}
                    item |= {"name": one.name, "arguments": ""}
                    yield {"type": "response.output_item.added", **place, "item": item}
                kind = "response.function_call_arguments.delta"
                yield {"type": kind, **place, "item_id": "fc", "delta": one.arguments}
            case End():
                _, calls, _ = joined(said)
                for call in calls.values():
                    place = {"output_index": call.key + 1}
                    done = {"type": "response.output_item.done", "item": responses_call(call)}
                    yield done | place
                response = responses_document(said)
                yield {"type": f"response.{response['status']}", "response": response}


def responses_call(call: Piece) -> dict[str, Any]:
    said = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
    return {"type": "function_call", "id": "fc", **said}


def responses_document(said: Iterable[Said]) -> dict[str, Any]:
    text, calls, end = joined(said)
    status = {"max_output_tokens": "incomplete", "content_filter": "incomplete"}.get(end or "")
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "role": "assistant", "id": "m", "content": [part]}
    return {
        **{"id": "r", "object": "response", "created_at": 1, "model": "m"},
        "status": status or end or "completed",
        "incomplete_details": {"reason": end} if status else None,
        "output": [*([message] if text else []), *map(responses_call, calls.values())],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    }


def responses_hear(raw: bytes) -> Heard:
    text, calls, ending = "", dict[int, dict[str, str]](), ""
    for event in events(raw):
        assert not ending
        match event["type"]:
            case "response.output_text.delta" | "response.refusal.delta":
                text += event["delta"]
            case "response.output_item.added" if event["item"]["type"] == "function_call":
                calls[event["output_index"]] = {**event["item"], "arguments": ""}
            case "response.function_call_arguments.delta":
                assert event["output_index"] == max(calls)
                assert event["delta"]
                calls[event["output_index"]]["arguments"] += event["delta"]
            case "response.completed" | "response.incomplete":
                ending = ended(event["response"])
                output = event["response"]["output"]
                told = [one for one in output if one["type"] == "function_call"]
                assert [one["arguments"] for one in told] == [
                    one["arguments"] for one in calls.values()
                ]
    said = [(one["name"], json.loads(one["arguments"])) for one in calls.values()]
    return Heard(text, said, ending, tuple(one["call_id"] for one in calls.values()))


def ended(response: dict[str, Any]) -> str:
    details = response.get("incomplete_details")
    return str(details["reason"] if details else response["status"])


def responses_hear_whole(raw: bytes) -> Heard:
    document = json.loads(raw)
    messages = [one for one in document["output"] if one["type"] == "message"]
    calls = [one for one in document["output"] if one["type"] == "function_call"]
    text = "".join(part.get("text", "") for one in messages for part in one["content"])
    said = [(one["name"], json.loads(one["arguments"])) for one in calls]
    return Heard(text, said, ended(document), tuple(one["call_id"] for one in calls))


def responses_request(names: list[str], ids: list[str]) -> dict[str, Any]:
    tools = [
        {"type": "function", "name": name, "parameters": TOOLS.get(name, {})} for name in names
    ]
    turns: list[Any] = [{"role": "user", "content": "hi"}]
    for id_ in ids:
        turns.append({"type": "function_call", "call_id": id_, "name": "B", "arguments": "{}"})
        turns.append({"type": "function_call_output", "call_id": id_, "output": "ok"})
    return {"input": turns, "tools": tools}


# Gemini -----------------------------------------------------------------------------------------


def gemini_documents(said: Iterable[Said]) -> Iterable[Any]:
    said = list(said)
    done = set[int]()
    _, calls, _ = joined(said)
    for one in said:
        match one:
            case Words():
                yield gemini_document([{"text": one.text}])
            case Piece() if one.key not in done:
                done.add(one.key)
                yield gemini_document([gemini_part(calls[one.key])])
            case End():
                yield gemini_document([], one.reason or "STOP")


def gemini_part(call: Piece) -> dict[str, Any]:
    return {"functionCall": {"name": call.name, "args": value(call.arguments)}}


def gemini_document(parts: list[Any], reason: str = "") -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "usageMetadata": {"totalTokenCount": 2}}


def gemini_whole(said: Iterable[Said]) -> bytes:
    text, calls, end = joined(said)
    parts = [*([{"text": text}] if text else []), *map(gemini_part, calls.values())]
    document = gemini_document(parts, "STOP" if end == "" else end or "")
    return json.dumps(document, ensure_ascii=False).encode()


def gemini_hear(raw: bytes) -> Heard:
    return gemini_heard(events(raw))


def gemini_heard(documents: list[Any]) -> Heard:
    text, calls, ending = "", list[tuple[str, Any]](), ""
    for document in documents:
        for candidate in document.get("candidates", ()):
            for part in candidate.get("content", {}).get("parts", ()):
                text += part.get("text", "") if not part.get("thought") else ""
                if call := part.get("functionCall"):
                    assert isinstance(call["args"], dict)
                    calls.append((call["name"], call["args"]))
            ending = candidate.get("finishReason", ending)
    return Heard(text, calls, ending)


def gemini_request(names: list[str], _ids: list[str]) -> dict[str, Any]:
    declared = [{"name": name, "parameters": TOOLS.get(name, {})} for name in names]
    return {"contents": [], "tools": [{"functionDeclarations": declared}]}


# Ollama -----------------------------------------------------------------------------------------


def ollama_lines(said: Iterable[Said]) -> Iterable[Any]:
    said = list(said)
    done = set[int]()
    _, calls, _ = joined(said)
    for one in said:
        match one:
            case Words():
                yield ollama_line({"content": one.text})
            case Piece() if one.key not in done:
                done.add(one.key)
                yield ollama_line({"content": "", "tool_calls": [ollama_call(calls[one.key])]})
            case End():
                end = {"done": True, "done_reason": one.reason or "stop", "eval_count": 1}
                yield ollama_line({"content": ""}) | end


def ollama_call(call: Piece) -> dict[str, Any]:
    return {"function": {"name": call.name, "arguments": value(call.arguments)}}


def ollama_line(message: dict[str, Any]) -> dict[str, Any]:
    said = {"role": "assistant", **message}
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": said, "done": False}


def ollama_say(said: Iterable[Said]) -> bytes:
    lines = [json.dumps(one, ensure_ascii=False) for one in ollama_lines(said)]
    return "".join(f"{line}\n" for line in lines).encode()


def ollama_whole(said: Iterable[Said]) -> bytes:
    text, calls, end = joined(said)
    message = {"content": text} | (
        {"tool_calls": [ollama_call(call) for call in calls.values()]} if calls else {}
    )
    done = {"done": True, "done_reason": end or "stop"}
    return json.dumps(ollama_line(message) | done, ensure_ascii=False).encode()


def ollama_hear(raw: bytes) -> Heard:
    text, calls, ending = "", list[tuple[str, Any]](), ""
    for line in raw.decode().splitlines():
        document = json.loads(line)
        assert not ending
        text += document["message"]["content"]
        for call in document["message"].get("tool_calls") or ():
            assert isinstance(call["function"]["arguments"], dict)
            calls.append((call["function"]["name"], call["function"]["arguments"]))
        ending = document["done_reason"] if document["done"] else ""
    return Heard(text, calls, ending)


def ollama_hear_whole(raw: bytes) -> Heard:
    """LiteLLM parses a whole reply as one document; lines are only for a stream."""
    document = json.loads(raw)
    return ollama_hear(json.dumps(document).encode())


def ollama_request(names: list[str], _ids: list[str]) -> dict[str, Any]:
    return {"messages": [], "tools": chat_request(names, [])["tools"]}


# Bedrock's Converse -------------------------------------------------------------------------------


TOKENS = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}


def converse_say(said: Iterable[Said]) -> bytes:
    frames = [event_frame("messageStart", {"role": "assistant"})]
    seen = set[int]()
    for one in said:
        match one:
            case Words():
                index = {"contentBlockIndex": 0}
                frames.append(
                    event_frame("contentBlockDelta", index | {"delta": {"text": one.text}})
                )
            case Piece():
                index = {"contentBlockIndex": one.key + 1}
                if one.key not in seen:
                    seen.add(one.key)
                    use = {"toolUseId": one.id, "name": one.name}
                    frames.append(
                        event_frame("contentBlockStart", index | {"start": {"toolUse": use}})
                    )
                delta = {"delta": {"toolUse": {"input": one.arguments}}}
                frames.append(event_frame("contentBlockDelta", index | delta))
            case End():
                frames += [event_frame("contentBlockStop", {"contentBlockIndex": 0})]
                stops = [{"contentBlockIndex": key + 1} for key in seen]
                frames += [event_frame("contentBlockStop", stop) for stop in stops]
                reason = one.reason or ("tool_use" if seen else "end_turn")
                frames.append(event_frame("messageStop", {"stopReason": reason}))
                frames.append(event_frame("metadata", {"usage": TOKENS, "metrics": {}}))
    return b"".join(frames)


def converse_whole(said: Iterable[Said]) -> bytes:
    text, calls, end = joined(said)
    uses = [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": value(call.arguments)}}
        for call in calls.values()
    ]
    message = {"role": "assistant", "content": [*([{"text": text}] if text else []), *uses]}
    reason = end or ("tool_use" if calls else "end_turn")
    document = {"output": {"message": message}, "stopReason": reason, "usage": TOKENS}
    return json.dumps(document, ensure_ascii=False).encode()


def messages_of(raw: bytes) -> Iterable[tuple[str, Any]]:
    while raw:
        total, headers = struct.unpack_from("!II", raw)
        (kind_length,) = struct.unpack_from("!H", raw, 12 + 1 + len(":event-type") + 1)
        start = 12 + 1 + len(":event-type") + 3
        kind = raw[start : start + kind_length].decode()
        yield kind, json.loads(raw[12 + headers : total - 4])
        raw = raw[total:]


def converse_hear(raw: bytes) -> Heard:
    text, ending, calls = "", "", dict[int, dict[str, str]]()
    open_: int | None = None
    stopped = set[int]()
    for kind, payload in messages_of(raw):
        index = payload.get("contentBlockIndex")
        assert not (ending and kind != "metadata")
        if kind == "contentBlockStart":
            assert open_ is None
            open_, use = index, payload["start"]["toolUse"]
            calls[index] = {**use, "said": ""}
        elif kind == "contentBlockDelta":
            assert open_ in (None, index)
            assert index not in stopped
            open_ = index
            text += payload["delta"].get("text", "")
            if use := payload["delta"].get("toolUse"):
                calls[index]["said"] += use["input"]
        elif kind == "contentBlockStop":
            stopped.add(index)
            open_ = None
        elif kind == "messageStop":
            assert open_ is None
            ending = payload["stopReason"]
    said = [(call["name"], json.loads(call["said"])) for call in calls.values()]
    return Heard(text, said, ending, tuple(call["toolUseId"] for call in calls.values()))


def converse_hear_whole(raw: bytes) -> Heard:
    document = json.loads(raw)
    content = document["output"]["message"]["content"]
    uses = [block["toolUse"] for block in content if "toolUse" in block]
    assert all(isinstance(use["input"], dict) for use in uses)
    text = "".join(block.get("text", "") for block in content)
    said = [(use["name"], use["input"]) for use in uses]
    return Heard(text, said, document["stopReason"], tuple(use["toolUseId"] for use in uses))


def converse_request(names: list[str], ids: list[str]) -> dict[str, Any]:
    specs = [
        {"toolSpec": {"name": one, "inputSchema": {"json": TOOLS.get(one, {})}}} for one in names
    ]
    turns = [
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": id_, "name": "B", "input": {}}}],
        }
        for id_ in ids
    ]
    return {"messages": turns, "toolConfig": {"tools": specs}}


# Anthropic's messages ---------------------------------------------------------------------------


def message_events(said: Iterable[Said]) -> Iterable[Any]:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
    usage = {"input_tokens": 1, "output_tokens": 1}
    yield {"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}}
    seen = list[int]()
    for one in said:
        match one:
            case Words():
                if 0 not in seen:
                    seen.append(0)
                    block: Any = {"type": "text", "text": ""}
                    yield {"type": "content_block_start", "index": 0, "content_block": block}
                delta = {"type": "text_delta", "text": one.text}
                yield {"type": "content_block_delta", "index": 0, "delta": delta}
            case Piece():
                index = one.key + 1
                if index not in seen:
                    seen.append(index)
                    block = {"type": "tool_use", "id": one.id, "name": one.name, "input": {}}
                    yield {"type": "content_block_start", "index": index, "content_block": block}
                delta = {"type": "input_json_delta", "partial_json": one.arguments}
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            case End():
                for index in seen:
                    yield {"type": "content_block_stop", "index": index}
                reason = one.reason or ("tool_use" if set(seen) - {0} else "end_turn")
                stop = {"stop_reason": reason, "stop_sequence": None}
                yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 1}}
                yield {"type": "message_stop"}


def message_whole(said: Iterable[Said]) -> bytes:
    text, calls, end = joined(said)
    uses = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": value(call.arguments)}
        for call in calls.values()
    ]
    content = [*([{"type": "text", "text": text}] if text else []), *uses]
    reason = end or ("tool_use" if calls else "end_turn")
    document = {"id": "m", "type": "message", "role": "assistant", "model": "m"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    whole = {**document, "content": content, "stop_reason": reason, "usage": usage}
    return json.dumps(whole, ensure_ascii=False).encode()


def chunks_of(said: Iterable[Any]) -> bytes:
    """Return events as InvokeModelWithResponseStream sends them."""
    inner = (base64.b64encode(json.dumps(one).encode()).decode() for one in said)
    return b"".join(event_frame("chunk", {"bytes": one, "p": "abc"}) for one in inner)


def in_chunks(raw: bytes) -> list[Any]:
    """Return the events in such chunks."""
    told = list(messages_of(raw))
    assert {kind for kind, _ in told} == {"chunk"}
    return [json.loads(base64.b64decode(payload["bytes"])) for _, payload in told]


def message_hear(raw: bytes) -> Heard:
    return message_heard(events(raw))


def message_heard(told: list[Any]) -> Heard:
    assert [one["type"] for one in told].count("message_start") == 1
    assert told[0]["type"] == "message_start"
    start = told[0]["message"]
    assert (start["type"], start["role"], start["content"]) == ("message", "assistant", [])
    assert start.get("stop_reason") is None
    assert told[-1]["type"] == "message_stop"
    blocks, open_, ending = list[dict[str, Any]](), False, ""
    for event in told:
        match event["type"]:
            case "content_block_start":
                assert not open_
                assert event["index"] == len(blocks)
                blocks.append({**event["content_block"], "said": ""})
                assert not blocks[-1].get("input")
                assert not blocks[-1].get("text")
                open_ = True
            case "content_block_delta":
                assert open_
                assert event["index"] == len(blocks) - 1
                delta = event["delta"]
                blocks[-1]["said"] += delta.get("text", delta.get("partial_json", ""))
            case "content_block_stop":
                assert event["index"] == len(blocks) - 1
                open_ = False
            case "message_delta":
                assert not open_
                ending = event["delta"]["stop_reason"]
    text = "".join(block["said"] for block in blocks if block["type"] == "text")
    uses = [block for block in blocks if block["type"] == "tool_use"]
    said = [(use["name"], json.loads(use["said"])) for use in uses]
    return Heard(text, said, ending, tuple(use["id"] for use in uses))


def message_hear_whole(raw: bytes) -> Heard:
    document = json.loads(raw)
    uses = [block for block in document["content"] if block["type"] == "tool_use"]
    assert all(isinstance(use["input"], dict) for use in uses)
    text = "".join(block.get("text", "") for block in document["content"])
    said = [(use["name"], use["input"]) for use in uses]
    return Heard(text, said, document["stop_reason"], tuple(use["id"] for use in uses))


def message_request(names: list[str], ids: list[str]) -> dict[str, Any]:
    tools = [{"name": name, "input_schema": TOOLS.get(name, {})} for name in names]
    turns = [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": id_, "name": "B", "input": {}}],
        }
        for id_ in ids
    ]
    return {"messages": turns, "tools": tools}


DIALECTS = {
    "openai": Dialect(
        lambda _: "/v1/chat/completions",
        chat_request,
        chat_say,
        chat_whole,
        chat_hear,
        chat_hear_whole,
        "length",
    ),
    "responses": Dialect(
        lambda _: "/v1/responses",
        responses_request,
        lambda said: sse(responses_events(said), named=True),
        lambda said: json.dumps(responses_document(said), ensure_ascii=False).encode(),
        responses_hear,
        responses_hear_whole,
        "max_output_tokens",
    ),
    "gemini": Dialect(
        lambda streams: f"/v1beta/models/m:{'streamG' if streams else 'g'}enerateContent",
        gemini_request,
        lambda said: sse(gemini_documents(said), end=b"\r\n\r\n"),
        gemini_whole,
        gemini_hear,
        lambda raw: gemini_heard([json.loads(raw)]),
        "MAX_TOKENS",
    ),
    "ollama": Dialect(
        lambda _: "/api/chat",
        ollama_request,
        ollama_say,
        ollama_whole,
        ollama_hear,
        ollama_hear_whole,
        "length",
    ),
    "bedrock": Dialect(
        lambda streams: f"/model/m/converse{'-stream' if streams else ''}",
        converse_request,
        converse_say,
        converse_whole,
        converse_hear,
        converse_hear_whole,
        "max_tokens",
    ),
    "invoke": Dialect(
        lambda streams: f"/model/m/invoke{'-with-response-stream' if streams else ''}",
        message_request,
        lambda said: chunks_of(message_events(said)),
        message_whole,
        lambda raw: message_heard(in_chunks(raw)),
        message_hear_whole,
        "max_tokens",
    ),
    "anthropic": Dialect(
        lambda _: "/api/anthropic/v1/messages",
        message_request,
        lambda said: sse(message_events(said), named=True),
        message_whole,
        message_hear,
        message_hear_whole,
        "max_tokens",
    ),
}


class Failed(NamedTuple):
    """An unusable reply: its status, its message, the bytes before it."""

    status: int
    message: str
    before: bytes


class Asking(NamedTuple):
    """A request in some dialect."""

    name: str
    streams: bool
    names: tuple[str, ...] = ("Bash", "Read")
    ids: tuple[str, ...] = ()
    model: str = "m"

    def pass_raw(self, raw: bytes, cut: int = 1 << 20) -> bytes | Failed:
        """Return the filter's bytes for a provider's, which arrive in pieces."""
        dialect = DIALECTS[self.name]
        body = {**dialect.request(list(self.names), list(self.ids)), "model": self.model}
        body |= {"stream": True} if self.streams else {}
        path = dialect.path(self.streams)
        path = path.replace("/m/", f"/{self.model}/").replace("/m:", f"/{self.model}:")
        tokens = iter(range(1000))
        found = Filters(lambda: f"token{next(tokens)}")(path, json.dumps(body).encode())
        assert found is not None
        out = b""
        try:
            for start in range(0, len(raw), cut):
                for part in found.feed(raw[start : start + cut]):
                    out += part
            for part in found.close():
                out += part
        except ReplyFailed as failure:
            return Failed(failure.status, failure.message, out if found.has_begun else b"")
        return out

    def hear_raw(self, raw: bytes, cut: int = 1 << 20) -> Heard | Failed:
        """Return what a client gets for a provider's bytes."""
        passed = self.pass_raw(raw, cut)
        if isinstance(passed, Failed):
            return passed
        dialect = DIALECTS[self.name]
        return (dialect.hear if self.streams else dialect.hear_whole)(passed)

    def say(self, *said: Said) -> bytes:
        """Return a provider's bytes."""
        dialect = DIALECTS[self.name]
        return (dialect.say if self.streams else dialect.say_whole)(said)

    def hear(self, *said: Said) -> Heard:
        """Return what a client gets for a valid reply."""
        heard = self.hear_raw(self.say(*said))
        assert isinstance(heard, Heard), heard
        return heard
