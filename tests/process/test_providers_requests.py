"""Requests to providers: what strict servers refuse, through a real instance.

The folders of tests/data/quirks say where each was reported. Each is sent to every provider whose
requests LiteLLM writes differently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.process.replay import QUIRKS, SERVED, Replayer, replayer
from tests.standins.tool_schema import refused_by_claude, refused_by_gemini, refused_by_openai

OPENAI, GEMINI = "21-mcp-schema-openai", "22-mcp-schema-boolean-gemini"
SCHEMAS: dict[str, Any] = {
    path.stem: json.loads(path.read_text())
    for folder in (OPENAI, GEMINI)
    for path in sorted((QUIRKS / folder).glob("*.json"))
}
ANY = b"HTTP/1.1 500 X\r\ncontent-type: application/json\r\n\r\n{}"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    with replayer(tmp_path_factory.mktemp("requests")) as started:
        yield started


def asked(instance: Replayer, slot: str, **more: Any) -> Any:
    """Return the request that a slot's provider gets."""
    instance.replay.requests.clear()
    instance.ask(slot, ANY, **more)
    return json.loads(instance.replay.requests[-1])


def tool(schema: Any, name: str = "X") -> dict[str, Any]:
    return {"name": name, "description": "d", "input_schema": schema}


def schemas_in(request: Any) -> list[Any]:
    """Return the schemas of a request's tools, in any dialect."""
    found = request.get("tools") or request["toolConfig"]["tools"]
    if "function_declarations" in found[0]:
        found = found[0]["function_declarations"]
    tools = [one.get("function") or one.get("toolSpec") or one for one in found]
    return [
        one.get("parameters") or one.get("input_schema") or one["inputSchema"]["json"]
        for one in tools
    ]


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("slot", SERVED)
def test_no_provider_gets_a_schema_that_it_refuses(
    instance: Replayer, slot: str, name: str
) -> None:
    (schema,) = schemas_in(asked(instance, slot, tools=[tool(SCHEMAS[name])]))

    rules = {"gemini": refused_by_gemini, "invoke": refused_by_claude}
    refused = rules.get(slot, refused_by_openai)
    assert list(refused({"properties": {}, **schema})) == []


@pytest.mark.parametrize(("slot", "most"), [("openai", 128), ("gemini", 128), ("ollama", 140)])
def test_no_provider_gets_more_tools_than_it_takes(
    instance: Replayer, slot: str, most: int
) -> None:
    tools = [tool({"type": "object"}, f"mcp__s__t{number}") for number in range(139)]

    request = asked(instance, slot, tools=[*tools, tool({"type": "object"}, "x" * 100)])

    assert len(schemas_in(request)) == most
    names = [part for part in json.dumps(request).split('"') if part.startswith("xxx")]
    assert all(len(name) <= 64 for name in names)
    log = instance.log.read_text()
    assert (f"{slot} is not offered the tool `mcp__s__t138`" in log) is (most < 140)


CALL = {"type": "tool_use", "id": "toolu_01ABCDEFGH" + "x" * 40, "name": "Bash", "input": {}}
RESULT = {
    "type": "tool_result",
    "tool_use_id": CALL["id"],
    "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
}
MARK = {"cache_control": {"type": "ephemeral"}}
TURNS = [
    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    {"role": "assistant", "content": [CALL]},
    {"role": "user", "content": [RESULT]},
]
STRICT = ("openai", "openrouter", "mistral", "hosted_vllm")


@pytest.mark.parametrize("slot", STRICT)
def test_what_is_only_text_is_a_string_where_a_list_is_refused(
    instance: Replayer, slot: str
) -> None:
    system = [{"type": "text", "text": "Be brief."}]

    messages = asked(instance, slot, messages=TURNS, system=system)["messages"]

    assert [one["content"] for one in messages if one["role"] != "assistant"] == [
        "Be brief.",
        "hi",
        "one\ntwo",
    ]


@pytest.mark.parametrize("slot", STRICT)
def test_a_mark_for_a_cache_makes_no_list_of_a_text_nor_do_words_beside_a_result(
    instance: Replayer, slot: str
) -> None:
    system = [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "And kind.", **MARK}]
    said = [{"type": "text", "text": "Mind this."}, {"type": "text", "text": "And that.", **MARK}]
    inner = {**RESULT, "content": [*RESULT["content"], {"type": "text", "text": "3", **MARK}]}
    turns = [*TURNS[:2], {"role": "user", "content": [{**inner, **MARK}, *said]}]

    request = asked(instance, slot, messages=turns, system=system)

    contents = [one["content"] for one in request["messages"] if one["role"] != "assistant"]
    assert contents == ["Be brief.\nAnd kind.", "hi", "one\ntwo\n3", "Mind this.\nAnd that."]
    assert "cache_control" not in json.dumps(request)


@pytest.mark.parametrize(
    ("slot", "form"), [*((slot, ".{1,40}") for slot in STRICT), ("mistral", "[a-zA-Z0-9]{9}")]
)
def test_an_id_of_another_model_is_one_that_the_provider_takes(
    instance: Replayer, slot: str, form: str
) -> None:
    messages = asked(instance, slot, messages=TURNS)["messages"]

    (call,) = [one["tool_calls"][0]["id"] for one in messages if one["role"] == "assistant"]
    (result,) = [one["tool_call_id"] for one in messages if one["role"] == "tool"]
    assert call == result
    assert re.fullmatch(form, call)
