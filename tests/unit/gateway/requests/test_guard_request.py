"""What the guard does to a request: one test for everything that LiteLLM or Bedrock gets wrong."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.strings import BEHIND, MOVED
from openclaude.gateway.requests.tools import Refused

PLAIN = Capabilities(
    max_output_tokens=8000,
    supports_vision=False,
    supports_pdf_input=False,
    supports_reasoning=False,
)
SEES = PLAIN._replace(supports_vision=True, supports_pdf_input=True)
REASONS = PLAIN._replace(supports_reasoning=True)
BASH = {"name": "Bash", "input_schema": {"type": "object", "properties": {}}}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw"}}
PDF_SOURCE = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0"}
PDF = {"type": "document", "source": PDF_SOURCE, "title": "Bill"}
IMAGE_NOTE = {"type": "text", "text": "[An image was here; this model cannot see images.]"}
PDF_NOTE = {"type": "text", "text": '[A document "Bill" was here; this model cannot read it.]'}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def body(*content: Any, **more: Any) -> dict[str, Any]:
    """A request whose only turn is the user's."""
    turn = {"role": "user", "content": list(content) or "hi"}
    return {"model": "openclaude-haiku", "max_tokens": 100, "messages": [turn], **more}


def fitted(*content: Any, capabilities: Capabilities = PLAIN) -> Any:
    """Return what a user turn's content becomes."""
    return fit_request(body(*content), capabilities)["messages"][0]["content"]


def fitted_result(capabilities: Capabilities = PLAIN, **block: Any) -> dict[str, Any]:
    """Return what a tool result becomes."""
    block = {"type": "tool_result", "tool_use_id": "t1", **block}
    (result,) = fitted(block, capabilities=capabilities)
    return dict(result)


# Output -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (32000, 8000),
        (128000, 8000),
        (8000, 8000),
        (64, 64),
        (1, 1),
        (99.5, 99),
        (float("inf"), 8000),
        (float("nan"), 8000),
        (0, 8000),
        (-5, 8000),
        (True, 8000),
        (None, 8000),
        ("64", 8000),
        ([], 8000),
    ],
)
def test_output_is_clamped_to_the_models_cap(asked: object, sent: int) -> None:
    assert fit_request(body(max_tokens=asked), PLAIN)["max_tokens"] == sent


def test_output_without_a_number_gets_the_models_cap() -> None:
    request = body()
    del request["max_tokens"]

    assert fit_request(request, PLAIN)["max_tokens"] == 8000


# Blocks the model cannot read ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            {"type": "tool_reference", "tool_name": "WebFetch"},
            "Tool loaded: WebFetch (now callable).",
        ),
        (
            {
                "type": "search_result",
                "title": "Kittens",
                "source": "https://k.example",
                "content": [text("They purr."), text("They nap.")],
            },
            "Search result: Kittens (https://k.example)\nThey purr.\nThey nap.",
        ),
        (
            {
                "type": "document",
                "title": "notes.txt",
                "source": {"type": "text", "media_type": "text/plain", "data": "Buy milk."},
            },
            'Document "notes.txt":\nBuy milk.',
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [text("a"), PNG]}},
            "Document:\na\n[left out]",
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "plain"}},
            "Document:\nplain",
        ),
        (PNG, IMAGE_NOTE["text"]),
        (PDF, PDF_NOTE["text"]),
        (
            {"type": "document", "source": {"type": "file", "file_id": "f"}},
            "[A document was here; this model cannot read it.]",
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s1",
                "content": [
                    {
                        "type": "web_search_result",
                        "title": "Kittens",
                        "url": "https://k.example",
                        "encrypted_content": "xyz",
                    }
                ],
            },
            "Web search results:\n- Kittens (https://k.example)",
        ),
        (
            {
                "type": "web_search_tool_result",
                "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"},
            },
            "Web search results:\n(none)",
        ),
        (
            {"type": "container_upload", "file_id": "f"},
            "[A `container_upload` block was here; this model cannot read it.]",
        ),
        ({"no": "type"}, "[A `unknown` block was here; this model cannot read it.]"),
        ("bare words", "bare words"),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
@pytest.mark.parametrize("place", ["turn", "tool result"])
def test_what_the_model_cannot_read_becomes_text(block: Any, words: str, place: str) -> None:
    content = fitted(block) if place == "turn" else fitted_result(content=[block])["content"]

    assert content == [text(words)]


@pytest.mark.parametrize("block", [PNG, PDF], ids=["image", "pdf"])
def test_a_model_that_sees_gets_the_picture(block: dict[str, Any]) -> None:
    assert fitted(block, capabilities=SEES) == [block]
    assert fitted_result(SEES, content=[block])["content"] == [block]


def test_an_image_by_address_is_never_fetched() -> None:
    block = {"type": "image", "source": {"type": "url", "url": "http://169.254.169.254/"}}

    (note,) = fitted(block, capabilities=SEES)

    assert note["text"] == "[An image URL was here; it was not fetched.]"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "hm", "signature": "signed-by-anthropic"},
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
    ],
    ids=lambda block: block["type"],
)
@pytest.mark.parametrize("capabilities", [PLAIN, REASONS], ids=["plain", "reasons"])
def test_another_models_thoughts_and_calls_are_not_forwarded(
    block: dict[str, Any], capabilities: Capabilities
) -> None:
    assert fitted(block, text("Hello"), capabilities=capabilities) == [text("Hello")]


# Turns and tool results ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    ["", " \n\t", [], [text(" ")], [text(""), text("\n")], [{"type": "thinking", "thinking": "x"}]],
)
def test_a_turn_that_would_be_empty_says_so(content: Any) -> None:
    request = body()
    request["messages"] = [{"role": "assistant", "content": content}]

    (turn,) = fit_request(request, PLAIN)["messages"]

    assert turn["content"] in ("(no content)", [text("(no content)")])


@pytest.mark.parametrize("content", ["", " \n", [], [text(" ")], None, 7])
def test_an_empty_tool_result_says_so(content: Any) -> None:
    assert fitted_result(content=content)["content"] == "(no output)"


def test_a_missing_tool_result_content_says_so() -> None:
    assert fitted_result()["content"] == "(no output)"


@pytest.mark.parametrize(
    ("content", "marked"),
    [
        ("no such file", "ERROR: no such file"),
        ("", "ERROR: (no output)"),
        ([text("no such file")], [text("ERROR:\n"), text("no such file")]),
        ([PNG], [text("ERROR:\n"), IMAGE_NOTE]),
    ],
)
def test_a_failed_tools_result_says_that_it_failed(content: Any, marked: Any) -> None:
    result = fitted_result(content=content, is_error=True)

    assert result["content"] == marked
    assert "is_error" not in result


def test_a_tool_result_without_an_error_stays_as_it_is() -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": "ok", "is_error": False}

    assert fitted(block) == [block]


def test_what_the_model_can_read_stays_as_it_is() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [text("a\n"), text("b")]}
    request = body(system=[text("Be brief.")], stream=True, temperature=1, stop_sequences=["x"])
    request["messages"] = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [text("ok"), call]},
        {"role": "user", "content": [result, text("go on")]},
    ]
    request["tools"] = [BASH]

    assert fit_request(request, PLAIN) == request


def test_the_request_given_is_not_changed() -> None:
    request = body(PNG, {"type": "tool_result", "is_error": True}, tools=[BASH, {"type": "x"}])
    before = repr(request)

    fit_request(request, PLAIN)

    assert repr(request) == before


def test_two_texts_are_never_run_together() -> None:
    content = fitted(text("a"), text("b\n"), text(""), text("c"), text("d"))

    assert content == [text("a\n"), text("b\n"), text("c\n"), text("d")]


def test_a_cache_mark_is_the_one_every_provider_knows() -> None:
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    request = body({**text("hi"), **hour}, system=[text("a") | hour], tools=[BASH | hour])

    sent = fit_request(request, PLAIN)

    marked = [sent["messages"][0]["content"][0], sent["system"][0], sent["tools"][0]]
    assert [block["cache_control"] for block in marked] == [{"type": "ephemeral"}] * 3


def test_a_turn_brings_its_words_and_nothing_else() -> None:
    request = body()
    request["messages"] = [{"role": "user", "content": "hi", "output_config": {"effort": "high"}}]

    assert fit_request(request, PLAIN)["messages"] == [{"role": "user", "content": "hi"}]


# System turns -------------------------------------------------------------------------------------

NOTE = "<system-reminder>\nBe brief.\n</system-reminder>"
CALL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}


def turn(role: str, *content: Any) -> dict[str, Any]:
    return {"role": role, "content": list(content)}


@pytest.mark.parametrize(
    ("turns", "sent"),
    [
        (
            [{"role": "user", "content": "hi"}, {"role": "system", "content": "Be brief."}],
            [turn("user", text("hi\n"), text(NOTE))],
        ),
        (
            [turn("user", text("hi")), turn("system", text("Be"), text(" brief. "))],
            [turn("user", text("hi\n"), text(NOTE.replace("Be brief", "Be\n brief")))],
        ),
        (
            [turn("assistant", CALL), turn("system", text("Be brief.")), turn("user", RESULT)],
            [turn("assistant", CALL), turn("user", RESULT, text(NOTE))],
        ),
        (
            [turn("assistant", text("ok")), {"role": "system", "content": "Be brief."}],
            [turn("assistant", text("ok")), turn("user", text(NOTE))],
        ),
        (
            [{"role": "system", "content": NOTE}, {"role": "user", "content": "hi"}],
            [turn("user", text("hi\n"), text(NOTE))],
        ),
        (
            [{"role": "user", "content": "hi"}, {"role": "system", "content": " "}],
            [turn("user", text("hi"))],
        ),
    ],
    ids=["after the user", "blocks", "before a result", "after an answer", "first", "blank"],
)
def test_a_system_turn_is_said_by_the_user_it_stands_beside(turns: Any, sent: Any) -> None:
    assert fit_request(body() | {"messages": turns}, PLAIN)["messages"] == sent


@pytest.mark.parametrize(
    ("system", "sent"),
    [
        ([text("x-anthropic-billing-header: cc_version=2; cch=1f;"), text("Be")], [text("Be")]),
        ("x-anthropic-billing-header: cch=1f;\nBe brief.", "Be brief."),
        ([text("Be"), text(" "), text("brief.")], [text("Be\n"), text("brief.")]),
        ("Be brief.", "Be brief."),
        ([text("x-anthropic-billing-header: cch=1f;")], None),
        ("", None),
    ],
)
def test_the_system_prompt_stays_the_same_between_requests(system: Any, sent: Any) -> None:
    assert fit_request(body(system=system), PLAIN).get("system") == sent


# Tools --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tool",
    [
        {"name": "DeferredToolPlaceholder", "input_schema": {}, "defer_loading": True},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
        {"type": "tool_search_tool_regex_20251119", "name": "tool_search"},
        {"type": "advisor_20260301", "name": "advisor"},
        {"type": "mcp_toolset", "mcp_server_name": "x"},
        "no tool",
    ],
)
def test_a_tool_the_model_cannot_call_is_removed(tool: Any) -> None:
    request = body(tools=[tool, BASH, {**BASH, "type": "custom", "name": "Read"}])

    kept = fit_request(request, PLAIN)["tools"]

    assert [entry["name"] for entry in kept] == ["Bash", "Read"]


def test_a_tool_brings_only_what_every_model_understands() -> None:
    tool = {**BASH, "description": "Run", "type": "custom"}
    more = {"defer_loading": True, "strict": True, "input_examples": [], "allowed_callers": []}

    assert fit_request(body(tools=[tool | more]), PLAIN)["tools"] == [tool]


@pytest.mark.parametrize("tools", [[], [{"type": "bash_20250124", "name": "bash"}], None, "x"])
def test_no_tools_means_no_choice_among_them(tools: Any) -> None:
    sent = fit_request(body(tools=tools, tool_choice={"type": "any"}), PLAIN)

    assert not {"tools", "tool_choice"} & sent.keys()


@pytest.mark.parametrize(
    ("choice", "stays"),
    [
        ({"type": "auto"}, True),
        ({"type": "tool", "name": "Bash"}, True),
        ({"type": "tool", "name": "bash"}, False),
    ],
)
def test_a_choice_of_a_removed_tool_is_removed_too(choice: dict[str, str], stays: bool) -> None:
    tools = [BASH, {"type": "bash_20250124", "name": "bash"}]

    sent = fit_request(body(tools=tools, tool_choice=choice), PLAIN)

    assert sent.get("tool_choice") == (choice if stays else None)


@pytest.mark.parametrize(
    "kind", ["web_search_20250305", "web_fetch_20250910", "code_execution_20250825", "web_search"]
)
def test_a_server_tool_is_refused_aloud(kind: str) -> None:
    tool = {"type": kind, "name": kind.rpartition("_")[0] or kind}

    with pytest.raises(Refused) as refused:
        fit_request(body(tools=[BASH, tool]), PLAIN)

    assert refused.value.message == f"the server tool `{tool['name']}` runs at Anthropic only"
    assert refused.value.status == 424


def test_a_clients_own_tool_may_have_a_server_tools_name() -> None:
    tool = {**BASH, "name": "web_search"}

    assert fit_request(body(tools=[tool]), PLAIN)["tools"] == [tool]


# Top-level keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "cache_control",
        "mcp_servers",
        "inference_geo",
        "speed",
        "container",
        "safeguards",
        "service_tier",
        "fallbacks",
        "mock_response",
        "api_base",
        "top_k",
        "a_field_of_tomorrow",
    ],
)
def test_what_only_anthropic_understands_ends_here_in_silence(key: str) -> None:
    assert key not in fit_request(body(**{key: {"x": 1}}), PLAIN)


def test_a_request_for_a_verdict_stays_where_litellm_answers_it() -> None:
    asked = [{"type": "dangerous_tool_use"}]

    assert fit_request(body(safeguards=asked), PLAIN, is_judged=True)["safeguards"] == asked
    assert "safeguards" not in fit_request(body(), PLAIN, is_judged=True)


@pytest.mark.parametrize(
    "key",
    [
        "litellm_call_id",
        "litellm_logging_obj",
        "litellm_metadata",
        "proxy_server_request",
        "provider_specific_header",
        "secret_fields",
        "context_management",
    ],
)
def test_what_litellm_needs_stays(key: str) -> None:
    value = object()

    assert fit_request(body(**{key: value}), PLAIN)[key] is value


def test_the_account_of_the_plan_is_not_named_to_a_provider() -> None:
    metadata = {"user_id": '{"account_uuid": "x"}', "litellm": 1}

    assert fit_request(body(metadata=metadata), PLAIN)["metadata"] == {"litellm": 1}


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({"effort": "high"}, None),
        (
            {"effort": "high", "format": {"type": "json_schema"}},
            {"format": {"type": "json_schema"}},
        ),
        ("high", None),
    ],
)
def test_a_model_that_does_not_reason_is_not_asked_to(config: Any, kept: Any) -> None:
    request = body(thinking={"type": "adaptive"}, output_config=config)

    sent = fit_request(request, PLAIN)

    assert "thinking" not in sent
    assert sent.get("output_config") == kept


NATIVE = REASONS._replace(speaks_anthropic=True)


def test_a_provider_that_speaks_anthropics_api_is_not_asked_for_thoughts_it_would_want_back() -> (
    None
):
    request = body(thinking={"type": "adaptive"}, output_config={"effort": "high"})

    assert not {"thinking", "output_config"} & fit_request(request, NATIVE).keys()


def test_a_provider_that_wants_its_thoughts_back_is_told_not_to_think() -> None:
    deepseek = NATIVE._replace(requires_reasoning_echo=True)

    sent = fit_request(body(thinking={"type": "adaptive"}), deepseek)

    assert sent["thinking"] == {"type": "disabled"}


def test_a_provider_that_speaks_anthropics_api_gets_no_context_management() -> None:
    request = body(context_management={"edits": []})

    assert "context_management" not in fit_request(request, NATIVE)


@pytest.mark.parametrize(
    "system", [None, "Be brief.", [text("Be brief.")]], ids=["none", "words", "blocks"]
)
def test_a_format_that_would_be_lost_is_asked_for_in_words(system: Any) -> None:
    wish = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    request = body(output_config=wish, **({"system": system} if system else {}))

    sent = fit_request(request, PLAIN._replace(supports_json_schema=False))

    *before, said = sent["system"]
    assert "output_config" not in sent
    assert before == ([text("Be brief.\n")] if system else [])
    assert said["text"].endswith('that fits this JSON schema:\n{"type": "object"}')


def test_a_third_party_is_not_told_what_anthropic_has() -> None:
    header = {"custom_llm_provider": "anthropic", "extra_headers": {"anthropic-beta": "oauth"}}

    assert "provider_specific_header" not in fit_request(
        body(provider_specific_header=header), NATIVE
    )


# Cache marks --------------------------------------------------------------------------------------


def test_where_a_mark_would_be_stored_and_billed_there_is_none() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    inner = [{**text("42"), **mark}]
    result = {"type": "tool_result", "tool_use_id": "t1", "content": inner, **mark}
    call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"cache_control": "its own"}}
    request = {
        **body(),
        "system": [{**text("Be brief."), **mark}],
        "tools": [{**BASH, **mark}],
        "messages": [
            {"role": "user", "content": [{**text("hi"), **mark}]},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ],
    }

    sent = fit_request(request, PLAIN._replace(takes_cache_marks=False))

    assert sent["system"] == [text("Be brief.")]
    assert sent["tools"] == [BASH]
    first, called, answered = (turn["content"] for turn in sent["messages"])
    assert first == [text("hi")]
    assert called == [call]
    assert answered == [{"type": "tool_result", "tool_use_id": "t1", "content": [text("42")]}]


# Strict servers -----------------------------------------------------------------------------------


def test_an_image_that_a_tool_answered_is_in_the_users_next_message_for_a_strict_server() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "x"}}
    answers = [
        {"type": "tool_result", "tool_use_id": "t1", "content": [text("a.png"), image]},
        {"type": "tool_result", "tool_use_id": "t2", "content": [image]},
        {"type": "tool_result", "tool_use_id": "t3", "content": "ok"},
    ]
    strict = PLAIN._replace(wants_strings=True, supports_vision=True)
    asked = {**body(), "messages": [{"role": "user", "content": [*answers, text("Mind this.")]}]}

    sent = fit_request(asked, strict)

    results, said = sent["messages"]
    assert [one["content"] for one in results["content"]] == [f"a.png\n{MOVED}", MOVED, "ok"]
    assert said == {"role": "user", "content": [text(BEHIND), image, image, text("Mind this.")]}
    assert fit_request(sent, strict) == sent
