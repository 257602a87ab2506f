"""The body for another machine: the conversation, and nobody's ids."""

from __future__ import annotations

import json

from openclaude.gateway.routing.forwarded import for_server, shown_of

IDS = '{"device_id": "d", "account_uuid": "a", "session_id": "s"}'


def test_a_body_for_a_server_has_no_ids_and_one_number_for_a_session() -> None:
    document = {"model": "claude-haiku-5-5", "max_tokens": 1, "metadata": {"user_id": IDS, "x": 1}}

    first, second = (json.loads(for_server("bedrock/m", document)) for _ in range(2))
    other = json.loads(for_server("bedrock/m", {**document, "metadata": {"user_id": "t"}}))

    assert {**first, "metadata": None} == {"model": "bedrock/m", "max_tokens": 1, "metadata": None}
    assert first["metadata"].keys() == {"user_id"}
    assert not {"account", "device", IDS} & {*first["metadata"]["user_id"].split()}
    assert len(first["metadata"]["user_id"]) == 32
    assert first == second
    assert first["metadata"] != other["metadata"]
    assert document["metadata"] == {"user_id": IDS, "x": 1}


def test_a_body_without_usable_ids_has_no_metadata() -> None:
    unusable: list[object] = [None, [], {"user_id": 5}, {"other": "x"}]
    for metadata in unusable:
        assert json.loads(for_server("m", {"metadata": metadata})) == {"model": "m"}


def test_half_of_a_surrogate_pair_is_sent_on_as_it_came() -> None:
    document = {"messages": [{"role": "user", "content": "cut \ud83d"}]}

    assert json.loads(for_server("m", document)) == {"model": "m", **document}
    assert json.loads(shown_of({"model": "claude-\ud83d"})) == {"model": "claude-\ud83d"}
