"""The entry point of `main`: access control, then the router, then LiteLLM.

Knows: which routes claude needs, and LiteLLM's application. Independent of: which model goes where
(`router`), keys (`access`), how it was started.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from openclaude.contracts.budget import budgets_in
from openclaude.contracts.routing import LEDGER, LEDGER_KEEP, routing_in
from openclaude.contracts.worker import (
    KEY_FETCHER_VARIABLE,
    SERVER_CA_VARIABLE,
    SERVER_KEY_VARIABLE,
    SERVER_VARIABLE,
)
from openclaude.gateway.http.access import AccessControl
from openclaude.gateway.http.other_keys import OtherKeys
from openclaude.gateway.litellm.accounting import keep_no_accounts
from openclaude.gateway.litellm.egress import keep_to_own_addresses
from openclaude.gateway.litellm.endpoint import RAW_BODY_KEY, Endpoints
from openclaude.gateway.litellm.resend import resend_lost
from openclaude.gateway.litellm.warmup_requests import warm_up_main
from openclaude.gateway.litellm.way_out import take_the_way_out
from openclaude.gateway.routing.budget import BudgetGate
from openclaude.gateway.routing.model_changes import ModelChanges
from openclaude.gateway.routing.recorder import Recorder
from openclaude.gateway.routing.router import MESSAGES, MODELS, Router
from openclaude.gateway.routing.routes import may_be_anthropics
from openclaude.gateway.team.key import ServerKey
from openclaude.gateway.team.way import ask_server
from openclaude.gateway.vision.eyes import Eyes
from openclaude.ledger.spending import Spending
from openclaude.ledger.writer import Writer

ROUTES = frozenset({("POST", path) for path in MESSAGES} | {("GET", MODELS)})
KEYLESS = frozenset({("HEAD", "/api/hello"), ("HEAD", "/"), ("POST", "/api/event_logging/batch")})


def make_app(env: Mapping[str, str]) -> AccessControl:
    """Build the application of `main` from the environment variables of its unit."""
    table = routing_in(env)
    key = env["LITELLM_MASTER_KEY"]
    endpoints = Endpoints(key, warm_up_main)
    router = Router(
        endpoints,
        table,
        raw_body_key=RAW_BODY_KEY,
        ledger=ledger_in(env),
        budget=budget_in(env, table.profile),
        changes=ModelChanges.of(env),
        recorder=recorder_in(env),
        eyes=Eyes(endpoints, table, raw_body_key=RAW_BODY_KEY) if table.eyes else None,
    )
    return AccessControl(
        router,
        key=key,
        routes=ROUTES,
        keyless=KEYLESS,
        further=partial(may_be_anthropics, table),
        others=OtherKeys.of(env),
    )


def ledger_in(env: Mapping[str, str]) -> Writer | None:
    """Return the ledger that the environment names; None if the profile keeps none."""
    path = env.get(LEDGER)
    return Writer(Path(path), keep_s=float(env[LEDGER_KEEP])) if path else None


def recorder_in(env: Mapping[str, str]) -> Recorder | None:
    """Return what records requests when asked; None where main can write no files."""
    keys = (env.get(name, "") for name in ("LITELLM_MASTER_KEY", "OPENCLAUDE_PROVIDERS_KEY"))
    path = env.get(LEDGER)
    return Recorder(Path(path).parent, [key for key in keys if key]) if path else None


def budget_in(env: Mapping[str, str], profile: str) -> BudgetGate | None:
    """Return what judges requests by the budgets of the environment; None if there are none."""
    budgets, path = budgets_in(env), env.get(LEDGER)
    return BudgetGate(budgets, Spending(Path(path)), profile) if budgets and path else None


def app() -> AccessControl:
    """The factory that the instance calls once its environment is complete."""
    server = os.environ.pop(SERVER_VARIABLE, "")
    hop = "" if server else os.environ.get("OPENCLAUDE_PROVIDERS_URL", "")
    resend_lost(hop=hop)
    if server:
        key = ServerKey.of(os.environ)
        for name in (SERVER_KEY_VARIABLE, KEY_FETCHER_VARIABLE):
            os.environ.pop(name, None)  # nothing else in this process is to find it
        ask_server(server, os.environ.pop(SERVER_CA_VARIABLE, ""), key)
    take_the_way_out(hop)
    keep_to_own_addresses()
    keep_no_accounts()
    return make_app(os.environ)
