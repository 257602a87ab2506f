"""What is true for any request body, however odd."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.tools import Refused
from openclaude.providers.thinking import ROWS

KINDS = [
    "text",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "tool_reference",
    "image",
    "document",
    "search_result",
    "web_search_tool_result",
    "server_tool_use",
    "compaction",
    "custom",
    "bash_20250124",
    "web_search_20250305",
    "base64",
    "content",
]
KEYS = [
    "type",
    "cache_control",
    "text",
    "content",
    "source",
    "is_error",
    "title",
    "name",
    "tool_name",
    "data",
]

words = st.sampled_from([*KINDS, "", " ", "x"]) | st.text(max_size=4)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)
blocks = st.dictionaries(st.sampled_from(KEYS), anything, max_size=6).flatmap(
    lambda block: st.sampled_from(KINDS).map(lambda kind: {**block, "type": kind})
)
roles = st.sampled_from(["user", "assistant", "system"]) | words
turns = st.fixed_dictionaries({"role": roles, "content": anything | st.lists(blocks, max_size=4)})
bodies = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": scalars,
        "system": st.lists(blocks | anything, max_size=3) | anything,
        "messages": st.lists(turns | anything, max_size=4) | anything,
        "tools": st.lists(blocks | anything, max_size=4) | anything,
        "tool_choice": anything,
        "thinking": anything,
        "output_config": anything,
        "metadata": anything,
        "safeguards": anything,
    },
)
values = {
    bool: st.booleans(),
    int: st.integers(1, 200_000),
    str: st.sampled_from(["", "bedrock"]),
}
models = st.builds(
    Capabilities,
    **{
        name: values[type(value)]
        for name, value in vars(Capabilities()).items()
        if value is not None and name != "requires_reasoning_echo"
    },
    # a second pass would not see that the first was asked for thoughts
    requires_reasoning_echo=st.just(False),
    thinking=st.sampled_from([None, *(row.thinking for row in ROWS)]),
    thoughts=st.sampled_from([None, "", "made_up/model"]),
)


def fit(body: dict[str, Any], model: Capabilities) -> dict[str, Any] | None:
    """Return the fitted request, or None for a refusal; any other exception fails the test."""
    try:
        return fit_request(body, model)
    except Refused:
        return None


@settings(max_examples=300)
@given(body=bodies, model=models)
@example(
    body={"system": {"cache_control": None}}, model=Capabilities(takes_cache_marks=False)
)  # found at random
def test_a_request_is_fitted_or_refused_and_a_second_pass_changes_nothing(
    body: dict[str, Any], model: Capabilities
) -> None:
    once = fit(body, model)

    # as text: a NaN is not equal to itself
    assert once is None or repr(fit(once, model)) == repr(once)


@given(body=bodies, model=models)
def test_output_is_never_more_than_asked_for_nor_than_the_model_can(
    body: dict[str, Any], model: Capabilities
) -> None:
    once = fit(body, model)

    if once is not None:
        sent: int = once["max_tokens"]
        asked: Any = body.get("max_tokens")
        assert 1 <= sent <= model.max_output_tokens
        is_number = isinstance(asked, int | float) and not isinstance(asked, bool)
        if is_number and not math.isnan(asked) and asked >= 1:
            assert sent <= asked


@given(body=bodies, model=models)
def test_no_thought_and_no_stray_key_is_ever_sent(
    body: dict[str, Any], model: Capabilities
) -> None:
    once = fit(body, model)

    if once is not None:
        assert "safeguards" not in once
        messages = once.get("messages")
        turns_sent = messages if isinstance(messages, list) else []
        contents = [turn.get("content") for turn in turns_sent if isinstance(turn, dict)]
        sent = [block for content in contents if isinstance(content, list) for block in content]
        assert not any(block["type"] in ("thinking", "redacted_thinking") for block in sent)


def test_a_body_as_deep_as_json_can_be_is_fitted() -> None:
    content: Any = [{"type": "text", "text": "deep"}]
    for kind in ("tool_result", "document", "search_result"):
        deep = content
        for _ in range(5000):
            deep = [{"type": kind, "content": deep, "source": {"type": "content", "content": deep}}]
        body = {"messages": [{"role": "user", "content": deep}]}

        assert fit(body, Capabilities()) is not None
