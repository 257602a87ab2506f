"""The entry of `main`: LiteLLM behind the router behind the gate.

Knows: which routes claude needs, and LiteLLM's application. Refuses to know: lanes (`router`),
keys (`gate`), how it was started.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

# An internal constant of LiteLLM's; the start fails here should a later version drop it.
from litellm.types.passthrough_endpoints.pass_through_endpoints import (
    LITELLM_PASS_THROUGH_RAW_BODY_STATE_KEY,
)

from openclaude.gateway.endpoint import Endpoints
from openclaude.gateway.gate import Gate
from openclaude.gateway.lanes import Lanes
from openclaude.gateway.rehearsal import rehearse_main
from openclaude.gateway.router import MESSAGES, Router
from openclaude.gateway.slot_errors import Slot

ROUTES = frozenset({("POST", path) for path in MESSAGES} | {("GET", "/v1/models")})
KEYLESS = frozenset({("HEAD", "/api/hello"), ("HEAD", "/"), ("POST", "/api/event_logging/batch")})


def make_app(env: Mapping[str, str]) -> Gate:
    """The application of `main`, from the variables its unit was given."""
    told = json.loads(env["OPENCLAUDE_LANES"])
    slots = {slot: Slot(**row) for slot, row in told["slots"].items()}
    lanes = Lanes(slots, told["auth"], told["on_limit"])
    key = env["LITELLM_MASTER_KEY"]
    endpoints = Endpoints(key, rehearse_main)
    router = Router(endpoints, lanes, raw_body_key=LITELLM_PASS_THROUGH_RAW_BODY_STATE_KEY)
    return Gate(router, key=key, routes=ROUTES, keyless=KEYLESS)


def app() -> Gate:
    """The factory that the instance calls once its environment is complete."""
    return make_app(os.environ)
