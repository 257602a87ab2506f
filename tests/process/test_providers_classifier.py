"""A model judges the tool calls of every other one, for claude's auto mode: LiteLLM does this.

Our part: the request for a verdict reaches LiteLLM and no provider, and the verdict survives
everything we do with a reply.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openclaude.standins.base.script import say, tool
from tests.process.test_providers_dialects import Dialects, body, both, every, serving
from tests.process.test_providers_instance import BASH, Answer
from tests.standins.openai.classifier import WHY, Classifier, under_review

SAFE, DANGEROUS = {"command": "ls"}, {"command": "rm -rf x"}
CONTEXT = {"permission_mode": "auto", "trusted_directories": ["/canary"]}
SAFEGUARDS = [{"type": "dangerous_tool_use", "classifier_context": CONTEXT}]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.fixture(scope="module")
def instance(
    tmp_path_factory: pytest.TempPathFactory, classifier: Classifier
) -> Iterator[Dialects]:
    general = {"safeguards_classifier_model": "openai-reads"}
    with serving(tmp_path_factory.mktemp("judged"), general, answer=classifier) as served:
        yield served


@pytest.fixture
def judged(instance: Dialects, classifier: Classifier) -> Dialects:
    for standin in instance.standins.values():
        standin.clear()
    classifier.clear()
    return instance


def ask(judged: Dialects, name: str, script: str, *, streams: bool) -> Answer:
    """Send one request of claude's in auto mode; the provider's request has no trace of it."""
    asked = body(f"{name}-reads", script, tools=[BASH], safeguards=SAFEGUARDS, stream=streams)
    answer = judged.send(asked)
    assert answer.status == 200, answer.body
    (sent,) = [seen for seen in judged.seen() if not under_review(seen)]
    assert "safeguards" not in sent.body.decode()
    assert "/canary" not in sent.body.decode()
    return answer


def verdicts(answer: Answer) -> list[dict[str, Any]]:
    """Return the verdict on each call of a reply, in order."""
    if answer.body.startswith(b"{"):
        message = answer.json()
        results, blocks = message["safeguard_results"], message["content"]
    else:
        events = answer.events()
        (end,) = [event for event in events if event["type"] == "message_delta"]
        results = end["delta"]["safeguard_results"]
        blocks = [event["content_block"] for event in events if "content_block" in event]
    (result,) = results
    assert (result["type"], result["status"]["type"]) == ("dangerous_tool_use", "available")
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    assert sorted(result["status"]["tool_uses"]) == sorted(calls)
    return [result["status"]["tool_uses"][call] for call in calls]


@every
@both
def test_each_call_of_a_reply_has_its_verdict(
    judged: Dialects, classifier: Classifier, name: str, streams: bool
) -> None:
    script = tool("Bash", SAFE) + tool("Bash", DANGEROUS)

    answer = ask(judged, name, script, streams=streams)

    assert verdicts(answer) == [
        {"type": "evaluated", "outcome": "not_flagged"},
        {"type": "evaluated", "outcome": "flagged", "explanation": WHY},
    ]
    assert classifier.judged == [SAFE, DANGEROUS]


@both
def test_a_classifier_that_cannot_tell_is_no_yes(
    judged: Dialects, classifier: Classifier, streams: bool
) -> None:
    classifier.is_able = False

    answer = ask(judged, "openai", tool("Bash", SAFE), streams=streams)

    assert verdicts(answer) == [{"type": "unavailable", "reason": "error"}]


@both
def test_a_reply_without_a_call_costs_no_question(
    judged: Dialects, classifier: Classifier, streams: bool
) -> None:
    answer = ask(judged, "gemini", say("Hello"), streams=streams)

    assert verdicts(answer) == []
    assert classifier.judged == []


@both
def test_who_asks_for_no_verdict_gets_none(
    judged: Dialects, classifier: Classifier, streams: bool
) -> None:
    asked = body("openai-reads", tool("Bash", DANGEROUS), tools=[BASH], stream=streams)

    answer = judged.send(asked)

    assert b"safeguard" not in answer.body
    assert classifier.judged == []
