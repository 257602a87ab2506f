"""The entry point of `openclaude serve`: the providers instance alone, for other machines.

Knows: that people's keys are in front of it, and which models it has. Independent of: how it was
started. Behind people's keys it is `providers` as every stack has it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from openclaude.contracts.worker import PEOPLE_VARIABLE, SERVED_VARIABLE, read_served
from openclaude.gateway.providers import KEY_HEADERS, MESSAGES, ROUTES, make_answering, prepare
from openclaude.gateway.team.people import People, PeopleAccess
from openclaude.gateway.team.served import ServedModels


def make_served(env: Mapping[str, str]) -> PeopleAccess:
    """Build the application from the environment variables of its instance."""
    groups = read_served(env[SERVED_VARIABLE])
    return PeopleAccess(
        ServedModels(make_answering(env), groups, paths=MESSAGES),
        People(Path(env[PEOPLE_VARIABLE]), note),
        routes=ROUTES,
        models=groups,
        key_headers=KEY_HEADERS,
        note=note,
    )


def note(line: str) -> None:
    """Write a line of the log: who has asked, never a key or a text."""
    sys.stderr.write(f"{line}\n")


def served_app() -> PeopleAccess:
    """The factory that the instance calls once its environment is complete."""
    prepare()
    return make_served(os.environ)
