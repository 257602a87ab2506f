"""The entry point of `openclaude serve`: the providers instance alone, for other machines.

Knows: that people's keys and limits are in front of it, and which models it has. Independent of:
how it was started. Behind those it is `providers` as every stack has it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from openclaude.contracts.routing import read_routing
from openclaude.contracts.worker import (
    PEOPLE_VARIABLE,
    PRICES_VARIABLE,
    REDIS_VARIABLE,
    SERVED_VARIABLE,
    SPENT_VARIABLE,
    read_served,
)
from openclaude.gateway.providers import KEY_HEADERS, MESSAGES, ROUTES, make_answering, prepare
from openclaude.gateway.team.counts import Count, LocalCount
from openclaude.gateway.team.kept import KeptCount
from openclaude.gateway.team.limited import LimitedUse
from openclaude.gateway.team.people import People, PeopleAccess
from openclaude.gateway.team.served import ServedModels, unpriced
from openclaude.gateway.team.shared import BadAddress, SharedCount

EX_CONFIG = 78  # sysexits.h: as where a secret cannot be fetched


def make_served(env: Mapping[str, str]) -> PeopleAccess:
    """Build the application from the environment variables of its instance. Raises ValueError."""
    groups = read_served(env[SERVED_VARIABLE])
    table = read_routing(env[PRICES_VARIABLE])
    for model in unpriced(groups, table):
        note(f"no price is known for {model}: what it costs counts in nobody's budget")
    models = ServedModels(make_answering(env), groups, paths=MESSAGES)
    return PeopleAccess(
        LimitedUse(models, make_count(env, note), table, note),
        People(Path(env[PEOPLE_VARIABLE]), note),
        routes=ROUTES,
        models=groups,
        key_headers=KEY_HEADERS,
        note=note,
    )


def make_count(env: Mapping[str, str], note: Callable[[str], None]) -> Count:
    """What counts people's use: in Redis, else in this process. Raises ValueError."""
    if url := env.get(REDIS_VARIABLE):
        return SharedCount(url, LocalCount(), note)
    return KeptCount(Path(env[SPENT_VARIABLE]), note)


def note(line: str) -> None:
    """Write a line of the log: who has asked, never a key or a text."""
    sys.stderr.write(f"{line}\n")


def served_app() -> PeopleAccess:
    """The factory that the instance calls once its environment is complete. Raises SystemExit."""
    prepare()
    try:
        return make_served(os.environ)
    except BadAddress as error:
        note(f"the address of Redis cannot be used: {error}")
        raise SystemExit(EX_CONFIG) from error
