"""The entry point of `main`: access control, then the router, then LiteLLM.

Knows: which routes claude needs, and LiteLLM's application. Independent of: which model goes where
(`router`), keys (`access`), how it was started.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude import __version__
from openclaude.contracts.budget import budgets_in
from openclaude.contracts.routing import (
    LEDGER,
    LEDGER_KEEP,
    TelemetryTargets,
    routing_in,
    telemetry_targets_in,
)
from openclaude.contracts.worker import (
    FURTHER_PORT_VARIABLE,
    KEY_FETCHER_VARIABLE,
    SERVER_CA_VARIABLE,
    SERVER_KEY_VARIABLE,
    SERVER_VARIABLE,
    further_port_in,
)
from openclaude.gateway.counting.asking import SlotCounts
from openclaude.gateway.http.access import AccessControl
from openclaude.gateway.http.asgi import App
from openclaude.gateway.http.other_keys import OtherKeys
from openclaude.gateway.litellm.accounting import keep_no_accounts, leave_out_own_callbacks
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
from openclaude.ledger.writer import Follow, Writer

if TYPE_CHECKING:
    from openclaude.gateway.telemetry.exporter import Exporter

log = logging.getLogger("openclaude.telemetry")
ROUTES = frozenset({("POST", path) for path in MESSAGES} | {("GET", MODELS)})
KEYLESS = frozenset({("HEAD", "/api/hello"), ("HEAD", "/"), ("POST", "/api/event_logging/batch")})


def make_app(env: Mapping[str, str]) -> App:
    """Build the application of `main` from the environment variables of its unit."""
    targets = telemetry_targets_in(env)
    exporter = exporter_of(targets) if targets else None
    app = make_gateway(env, exporter.take if exporter else None)
    if not (targets and exporter):
        return app
    from openclaude.gateway.telemetry.endpoint import TelemetryPort

    return TelemetryPort(app, exporter, further_port_in(env.get(FURTHER_PORT_VARIABLE, "")))


async def begin(endpoints: Endpoints) -> str:
    """Do what can be done once LiteLLM has read its config; the failure of the warm-up, or ""."""
    leave_out_own_callbacks()
    return await warm_up_main(endpoints)


def make_gateway(env: Mapping[str, str], follow: Follow | None = None) -> AccessControl:
    """Build the same without telemetry; `follow` gets the entries of requests."""
    table = routing_in(env)
    key = env["LITELLM_MASTER_KEY"]
    endpoints = Endpoints(key, begin)
    router = Router(
        endpoints,
        table,
        raw_body_key=RAW_BODY_KEY,
        ledger=ledger_in(env, follow),
        budget=budget_in(env, table.profile),
        changes=ModelChanges.of(env),
        recorder=recorder_in(env),
        eyes=Eyes(endpoints, table, raw_body_key=RAW_BODY_KEY) if table.eyes else None,
        counts=SlotCounts(endpoints, raw_body_key=RAW_BODY_KEY),
    )
    return AccessControl(
        router,
        key=key,
        routes=ROUTES,
        keyless=KEYLESS,
        further=partial(may_be_anthropics, table),
        others=OtherKeys.of(env),
    )


def ledger_in(env: Mapping[str, str], follow: Follow | None = None) -> Writer | None:
    """Return the ledger that the environment names; None if the profile keeps none."""
    path = env.get(LEDGER)
    return Writer(Path(path), keep_s=float(env[LEDGER_KEEP]), follow=follow) if path else None


def exporter_of(targets: TelemetryTargets) -> Exporter | None:
    """Return what exports figures; None without the packages for it, which the log then says."""
    try:
        from openclaude.gateway.telemetry.exporter import Exporter
    except ImportError as error:
        log.warning("no figures are exported: %s; `openclaude doctor` says what to do", error)
        return None
    return Exporter(targets, __version__)


def recorder_in(env: Mapping[str, str]) -> Recorder | None:
    """Return what records requests when asked; None where main can write no files."""
    keys = (env.get(name, "") for name in ("LITELLM_MASTER_KEY", "OPENCLAUDE_PROVIDERS_KEY"))
    path = env.get(LEDGER)
    return Recorder(Path(path).parent, [key for key in keys if key]) if path else None


def budget_in(env: Mapping[str, str], profile: str) -> BudgetGate | None:
    """Return what judges requests by the budgets of the environment; None if there are none."""
    budgets, path = budgets_in(env), env.get(LEDGER)
    return BudgetGate(budgets, Spending(Path(path)), profile) if budgets and path else None


def app() -> App:
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
