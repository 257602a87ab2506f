"""What LiteLLM is made to write of a model's thoughts."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.gateway.litellm.thoughts import is_lost_thought

THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}]}


@pytest.mark.parametrize(
    ("item", "is_lost"),
    [
        (THOUGHT, True),
        ({**THOUGHT, "encrypted_content": "", "id": ""}, True),
        ({**THOUGHT, "encrypted_content": "gAAA"}, False),
        ({**THOUGHT, "id": "rs_1"}, False),
        ({"type": "message", "role": "user", "content": "so"}, False),
        ({"type": "function_call", "call_id": "c"}, False),
        ("text", False),
    ],
)
def test_a_thought_without_what_proves_it_is_not_given_back_to_the_responses_api(
    item: Any, is_lost: bool
) -> None:
    assert is_lost_thought(item) is is_lost
