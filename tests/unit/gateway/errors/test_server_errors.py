"""Errors of a slot that another machine serves: whoever reads them cannot fix them."""

from __future__ import annotations

import json

import pytest

from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.slot_errors import flat_error, hop_is_down

URL = "https://models.example.internal"
SLOT = SlotRoute(model="m", server=URL, asked_as="bedrock/m")
EXPIRED = "BedrockException - The security token included in the request is expired"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "no key"),
        (403, "denied"),
        (404, "this server has no such model; it has `bedrock/n`"),
        (403, EXPIRED),
    ],
)
def test_what_only_the_servers_owner_can_fix_says_so_once(status: int, message: str) -> None:
    body = json.dumps({"type": "error", "error": {"type": "x", "message": message}}).encode()

    there, here = flat_error(status, body, slot=SLOT), flat_error(status, body)

    assert there.status == 424
    assert there.message.startswith(f"m: {URL} says: ")
    assert there.message.endswith("; tell whoever runs it")
    assert "run `" not in there.message
    assert "run `" in here.message


def test_a_connection_that_broke_is_asked_again() -> None:
    error = hop_is_down(SLOT)

    assert (error.status, error.retry_after) == (503, "1")
    assert error.message == f"m: the connection to {URL} broke; it may be restarting"
