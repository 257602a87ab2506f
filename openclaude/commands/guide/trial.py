"""One short question to a tier, through the profile's own proxies: does it work, what does it cost.

Knows: the request. Independent of: which profile it is, what is done when it fails.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from openclaude.commands.launch import as_claude_goes, bring_up
from openclaude.commands.ledger.pricing import known_prices
from openclaude.commands.running import wait_until_ready
from openclaude.contracts.plan import Plan
from openclaude.contracts.routing import routing_in
from openclaude.output import progress, ticking
from openclaude.paths import Places
from openclaude.plan_cache import find_plan

QUESTION = "Say hello in five words."
PATIENCE_S = 120.0
MOST_TOKENS = 256


class FirstAnswer(NamedTuple):
    """What came of it."""

    answer: str  # "" where there is none
    error: str
    seconds: float
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float | None = None  # None where no price is known


def try_tier(name: str, tier: str, places: Places, env: Mapping[str, str]) -> FirstAnswer:
    """Start the proxies of a profile and ask one of its tiers. Raises OpenclaudeError."""
    plan = find_plan(name, places, env)
    joined = bring_up(plan, places, as_claude_goes(env, places))
    wait_until_ready(joined.folder)
    asked = next(one.behaves_as or one.slot for one in plan.tiers if one.tier == tier)
    with progress(f"asking {tier}") as say, ticking(say):
        began = time.monotonic()
        try:
            status, document = ask(joined.port, joined.certificate, joined.main_key, asked)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return FirstAnswer("", f"no answer: {error}", time.monotonic() - began)
        seconds = time.monotonic() - began
    if status != 200:
        given = document.get("error")
        said = given.get("message") if isinstance(given, dict) else ""
        return FirstAnswer("", str(said or f"status {status}"), seconds)
    usage = document.get("usage") or {}
    tokens = int(usage.get("input_tokens") or 0), int(usage.get("output_tokens") or 0)
    return FirstAnswer(
        answer=" ".join(words(document)),
        error="",
        seconds=seconds,
        tokens_in=tokens[0],
        tokens_out=tokens[1],
        dollars=price_of(plan, tier, str(document.get("model")), *tokens),
    )


def price_of(
    plan: Plan, tier: str, answered_by: str, tokens_in: int, tokens_out: int
) -> float | None:
    """What an answer has cost in US dollars, by the prices that the ledger has; None if unknown.

    `answered_by` is the name in the reply, which may be a fallback's.
    """
    main = next(unit for unit in plan.units if unit.name == "main")
    table = routing_in(main.environment)
    model = next(one.model for one in plan.tiers if one.tier == tier)
    prices = known_prices(answered_by, table) or known_prices(model, table)
    if prices is None:
        return None
    return tokens_in * (prices.input or 0.0) + tokens_out * (prices.output or 0.0)


def words(document: Mapping[str, Any]) -> list[str]:
    """The words of an answer, without what a terminal would obey."""
    blocks = [block for block in document.get("content") or () if block.get("type") == "text"]
    said = " ".join(str(block.get("text")) for block in blocks)
    return "".join(one if one.isprintable() else " " for one in said[:400]).split()


def ask(port: int, certificate: str, key: str, model: str) -> tuple[int, dict[str, Any]]:
    """Status and document of the reply. Raises OSError, HTTPException or ValueError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    if certificate:
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=PATIENCE_S, context=context
        )
    body = {
        "model": model,
        "max_tokens": MOST_TOKENS,
        "messages": [{"role": "user", "content": QUESTION}],
    }
    headers = {
        "x-litellm-api-key": f"Bearer {key}",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    }
    try:
        connection.request("POST", "/v1/messages", json.dumps(body), headers)
        reply = connection.getresponse()
        document = json.loads(reply.read())
    finally:
        connection.close()
    return reply.status, document if isinstance(document, dict) else {}
