"""What providers really sent, byte for byte, through a real providers instance.

The files of tests/data/quirks are replies from public bug reports; each folder's README says which.
Each is sent by every provider that LiteLLM parses differently.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.process.replay import QUIRKS, Replayer, replayer, slots
from tests.process.test_providers_errors import ERRORS
from tests.process.test_providers_instance import Answer

LS = ("Bash", {"command": "ls -la"})
HOSTS = ("Read", {"file_path": "/etc/hosts"})


class Kept(NamedTuple):
    """What claude keeps of a reply."""

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    reason: str = "end_turn"


class Error(NamedTuple):
    """The error that claude gets instead; `said` is the answer's text before it."""

    words: str
    said: str = ""
    status: int = 503


def call(*calls: tuple[str, Any], text: str = "", reason: str = "tool_use") -> Kept:
    return Kept(text, calls, reason)


def unreadable(arguments: str) -> tuple[str, Any]:
    return ("Bash", {"_unreadable_arguments": arguments})


WRITTEN = {
    "file_path": "/tmp/x.txt",  # noqa: S108 - nothing is written
    "content": "first line\nSECOND\u2028PART is here\nlast line\n",
}
CUT = "stopped before its end"
EXPECTED: dict[str, Kept | Error] = {
    "01-several-calls-in-one-event/gemini": call(LS, HOSTS),
    "01-several-calls-in-one-event/ollama": call(LS, HOSTS),
    "01-several-calls-in-one-event/openai": call(LS, HOSTS),
    "02-tool-ids-that-repeat/localai": call(LS),
    "02-tool-ids-that-repeat/one_turn": call(LS, HOSTS),
    "02-tool-ids-that-repeat/turn1": call(("Bash", {"command": "echo RESULT-1"})),
    "02-tool-ids-that-repeat/turn2": call(("Bash", {"command": "echo RESULT-2"})),
    "03-name-in-every-chunk/openai": call(LS),
    "04-name-after-the-id/arguments_first": call(LS),
    "04-name-after-the-id/empty_name_first": call(LS),
    "04-name-after-the-id/id_then_name": call(LS),
    "05-interleaved-calls/bedrock": call(LS, HOSTS),
    "05-interleaved-calls/openai": call(LS, HOSTS),
    "06-arguments-that-are-no-object/broken": call(LS),
    "06-arguments-that-are-no-object/cumulative": call(LS),
    "06-arguments-that-are-no-object/gemini_null": call(("Bash", {})),
    "06-arguments-that-are-no-object/list": call(unreadable('["ls -la"]')),
    "06-arguments-that-are-no-object/null": call(("Bash", {})),
    "06-arguments-that-are-no-object/said_again": call(LS),
    "06-arguments-that-are-no-object/twice": call(LS),
    "07-end-of-file-told-as-the-end/bedrock_words": Error(CUT, "Now I will"),
    "07-end-of-file-told-as-the-end/gemini": Error(CUT, "Now I"),
    "07-end-of-file-told-as-the-end/ollama": Error(CUT, "Now I"),
    "07-end-of-file-told-as-the-end/openai_call": Error(CUT),
    "07-end-of-file-told-as-the-end/openai_nothing": Error(CUT),
    "07-end-of-file-told-as-the-end/openai_words": Error(CUT, "Now I will"),
    "08-failures-told-as-end_turn/abort": Error("`abort`", "Now I"),
    "08-failures-told-as-end_turn/bedrock_malformed": Error("`malformed_tool_use`", "Hm"),
    "08-failures-told-as-end_turn/bedrock_nothing": Error("`malformed_model_output`"),
    "08-failures-told-as-end_turn/error_openrouter": Error("`error`", "Now I"),
    "08-failures-told-as-end_turn/gemini_malformed": Error("`MALFORMED_FUNCTION_CALL`"),
    "08-failures-told-as-end_turn/native_openrouter": Error("`network_error`"),
    "08-failures-told-as-end_turn/network_error": Error("`network_error`", "Now I"),
    "09-200-that-is-no-stream/done": Error("without any content or stop reason"),
    "09-200-that-is-no-stream/empty": Error("empty body"),
    "09-200-that-is-no-stream/error": Error("Provider returned error", status=502),
    "09-200-that-is-no-stream/foreign": Error("404 NOT_FOUND", status=500),
    "09-200-that-is-no-stream/html": Error("page answers in its place (HTTP 200, text/html)"),
    "09-200-that-is-no-stream/no_choices": Error("without any content or stop reason"),
    "09-200-that-is-no-stream/whole": Kept("Whole."),
    "10-empty-data-frames/empty": Kept("Hello"),
    "10-empty-data-frames/retry": Kept("Hello"),
    "11-unicode-line-separators/gemini": Kept("a\u2028b\u0085c"),
    "11-unicode-line-separators/words": Kept("a\u2028b\u2029c\u0085d"),
    "11-unicode-line-separators/write_call": call(("Write", WRITTEN)),
    "12-calls-as-text/bedrock_qwen": call(LS),
    "12-calls-as-text/bedrock_residue": call(LS, text="Let me see.\n\n"),
    "12-calls-as-text/dsml": call(LS, text="Let me see.\n"),
    "12-calls-as-text/hermes": call(LS),
    "12-calls-as-text/kimi": call(LS),
    "12-calls-as-text/kimi_in_reasoning": call(LS),
    "12-calls-as-text/mistral": call(LS),
    "12-calls-as-text/ollama_json": call(LS),
    "12-calls-as-text/qwen": call(LS, text="I will look.\n"),
    "13-thoughts-in-the-text/magistral": Kept("Hi"),
    "13-thoughts-in-the-text/bedrock_reasoning": Kept("Hi there"),
    "13-thoughts-in-the-text/harmony": Kept("Hi there"),
    "13-thoughts-in-the-text/no_opening": Kept("Hi there"),
    "13-thoughts-in-the-text/ollama": Kept("Hi"),
    "13-thoughts-in-the-text/think": Kept("Hi there"),
    "14-decorated-tool-names/bedrock": call(LS),
    "14-decorated-tool-names/blanks": call(LS),
    "14-decorated-tool-names/functions": call(LS),
    "14-decorated-tool-names/harmony": call(LS),
    "15-tool-ids-of-third-parties/third_party": call(LS),
    "16-refusal-in-a-stream/stream": Kept("I can't help with that.", reason="refusal"),
    "16-refusal-in-a-stream/whole": Kept("I can't help with that.", reason="refusal"),
    "17-content-in-parts/stream": Kept("Hi"),
    "17-content-in-parts/whole": Kept("Hi"),
    "18-whole-input-in-the-blocks-start/call": call(LS),
    "18-whole-input-in-the-blocks-start/text": Kept("Hi"),
    "28-gemini-call-without-args/gemini": call(("Bash", {})),
    "28-gemini-call-without-args/openrouter_delta_null": Kept("Hi"),
    "29-whole-reply-cut-in-a-call/whole": call(unreadable('{"command'), reason="max_tokens"),
}
WHOLE = {"06-arguments-that-are-no-object/broken", "16-refusal-in-a-stream/whole"} | {
    "17-content-in-parts/whole",
    "29-whole-reply-cut-in-a-call/whole",
}


CASES = [(name, slot) for name in EXPECTED for slot in slots(name)]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    with replayer(tmp_path_factory.mktemp("quirks")) as started:
        yield started


def kept(answer: Answer) -> tuple[Kept, list[Any]]:
    """Return the content of a reply, and its errors; a call's input must be an object."""
    if answer.body.startswith(b"{"):
        message = answer.json()
        if answer.status != 200:
            return Kept(reason=""), [message["error"]]
        blocks = message["content"]
        text = "".join(block.get("text", "") for block in blocks)
        uses = [block for block in blocks if block["type"] == "tool_use"]
        return Kept(text, tuple((u["name"], u["input"]) for u in uses), message["stop_reason"]), []
    started: list[dict[str, Any]] = []
    text, reason, errors = "", "", []
    for event in answer.events():
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(started)
                started.append({**event["content_block"], "said": ""})
            case "content_block_delta":
                assert event["index"] == len(started) - 1
                text += event["delta"].get("text", "")
                started[-1]["said"] += event["delta"].get("partial_json", "")
            case "message_delta":
                reason = event["delta"]["stop_reason"]
            case "error":
                errors.append(event["error"])
    uses = [block for block in started if block["type"] == "tool_use"]
    calls = () if errors else tuple((use["name"], json.loads(use["said"])) for use in uses)
    return Kept(text, calls, reason), errors


def test_every_file_is_expected_to_say_something() -> None:
    files = {str(path.relative_to(QUIRKS)) for path in QUIRKS.rglob("*.upstream-reply")}

    assert {f"{name}.upstream-reply" for name in (*EXPECTED, *ERRORS)} == files


@pytest.mark.parametrize(("name", "slot"), CASES)
@pytest.mark.parametrize("cut", [1 << 20, 50], ids=["at once", "in packets"])
def test_what_a_provider_sent_is_a_message_or_an_error(
    instance: Replayer, name: str, slot: str, cut: int
) -> None:
    instance.replay.cut = cut
    raw = (QUIRKS / f"{name}.upstream-reply").read_bytes()

    answer = instance.ask(slot, raw, stream=name not in WHOLE)

    heard, errors = kept(answer)
    expected = EXPECTED[name]
    if isinstance(expected, Kept):
        assert (answer.status, heard, errors) == (200, expected, [])
        return
    assert (heard.text, heard.reason) == (expected.said, "")
    (error,) = errors
    assert expected.words in error["message"]
    if answer.body.startswith(b"{"):
        assert answer.status == expected.status


def test_ids_of_one_conversation_are_unique(instance: Replayer) -> None:
    raw = (QUIRKS / "02-tool-ids-that-repeat/turn1.upstream-reply").read_bytes()
    turns: list[Any] = [{"role": "user", "content": "hi"}]
    ids = []
    for _ in range(3):
        answer = instance.ask("openai", raw, messages=turns)
        (use,) = [event["content_block"] for event in answer.events() if "content_block" in event]
        ids.append(use["id"])
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": "ok"}
        turns += [
            {"role": "assistant", "content": [{**use, "input": {"command": "x"}}]},
            {"role": "user", "content": [result]},
        ]

    assert len(set(ids)) == 3


def test_the_instance_has_rehearsed(instance: Replayer) -> None:
    assert "the rehearsal failed" not in instance.log.read_text()
