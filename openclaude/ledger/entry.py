"""One request as the ledger has it.

Knows: the fields and their units. Independent of: how they are stored or found out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Via(enum.StrEnum):
    """Who answered, and why it was not the one that was asked for."""

    PLAN = "plan"  # Anthropic, with claude's own login
    API_KEY = "api-key"  # Anthropic, with the profile's key
    SLOT = "slot"  # the tier's own model or a fallback
    ON_LIMIT = "on-limit"  # the model named for the time when the plan's limit is reached
    BUDGET = "budget"  # the model named for the time when a budget is used up
    BUDGET_CLAUDE = "budget-claude"  # the same, where that is Claude
    EYES = "eyes"  # the model that describes images for the tier's own
    HELPER = "helper"  # Anthropic, for what only it can answer of a slot's requests


class RequestEntry(NamedTuple):
    """A request that has ended, in whichever way. A number is None where nobody said it."""

    at: float  # when it came, in seconds since 1970
    profile: str
    session: str  # claude's own id of it, or ""
    agent: str  # of a subagent: its type, else its id; else ""
    tier: str  # opus, sonnet, haiku, fable, or ""
    via: str  # a Via
    asked: str  # the model that claude asked for
    answered: str  # the model that the reply names, or ""
    provider: str
    region: str  # Bedrock's, or ""
    is_fallback: int  # 1 if another model of the slot stood in
    status: int  # of HTTP; 0 if no answer had begun
    error: str  # Anthropic's word for its kind, or ""
    is_cut: int  # 1 if the reply did not reach its end: claude left, or the connection broke
    first_ms: int | None  # to the first byte of the reply's body
    total_ms: int
    tokens_in: int | None  # neither read from a cache nor written to one
    tokens_out: int | None
    cache_read: int | None
    cache_write: int | None
    dollars: float | None  # None: no price is known, or the plan pays
    priced_by: str  # whose prices those are
    request_id: str  # the provider's, or ""
    used_5h: float | None  # how much of the plan's five hours is used up, 0 to 1, as Anthropic said
    used_7d: float | None
    resets_5h: int | None  # when they start again, in seconds since 1970
    resets_7d: int | None
    project: str = ""  # the folder where claude was started, or ""
    attempts: str = ""  # those that failed before: a JSON list of model, status, error and ms
    instance: str = ""  # the process that has written it, for one that counts its own
    changes: str = ""  # what was changed in the request to fit it to the model, one a line
    agent_id: str = ""  # claude's own id of the subagent, or ""


class EntrySink(Protocol):
    """Where requests are noted."""

    def note(self, work: Callable[[], RequestEntry | None]) -> None:
        """Have an entry made and written soon; never blocks, never raises."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything noted so far is written."""
