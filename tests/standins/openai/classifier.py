"""A model that judges tool calls for claude's auto mode, as LiteLLM asks one.

Knows: LiteLLM's question and the format of the answer. It judges by one word, so that a test knows
the verdict on a command in advance.
"""

from __future__ import annotations

import json
import re
from typing import Any

from openclaude.standins.base.exchange import Reply
from openclaude.standins.base.script import Script, Text
from tests.standins.judged import Judged
from tests.standins.openai.reply import CompletionContext, answer

QUESTION = re.compile(r"Tool calls to classify:\n(\[.*\])", re.DOTALL)
DANGEROUS = "rm"
WHY = "it deletes"


def under_review(request: Judged) -> list[dict[str, Any]]:
    """Return the tool calls that a request asks about; none in any other request."""
    turns = request.json().get("messages") or [{}]
    found = QUESTION.search(str(turns[-1].get("content")))
    return list(json.loads(found[1])) if found else []


class Classifier:
    """The `answer` of an OpenAI stand-in: a verdict if one is requested."""

    def __init__(self) -> None:
        self.judged: list[dict[str, Any]] = []  # the inputs of the calls, as requested
        self.is_able = True

    def clear(self) -> None:
        """Forget, and stop failing."""
        self.judged.clear()
        self.is_able = True

    def __call__(self, request: Judged) -> Reply | None:
        if not (calls := under_review(request)):
            return None
        self.judged += [call["input"] for call in calls]
        verdicts = {
            call["id"]: {"flagged": DANGEROUS in json.dumps(call["input"]), "explanation": WHY}
            for call in calls
        }
        said = json.dumps({"verdicts": verdicts}) if self.is_able else "I cannot tell."
        script = Script(blocks=(Text(parts=(said,)),))
        return answer(script, CompletionContext(model=request.model_id, input_tokens=1))
