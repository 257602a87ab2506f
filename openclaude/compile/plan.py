"""The plan: everything a stack and a launch will do, as plain frozen data.

Knows: units, listeners, tiers, the launch. Refuses to know: how any of it was decided or is done.
Imports nothing but the standard library, so that the warm launch and the supervisor can read a
plan without pydantic. Tuples rather than dataclasses: importing `dataclasses` costs the warm
launch 13 ms. A plan holds names of secrets and of local keys, never their values.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

PLAN_VERSION = 3
NEVER_S = 3.2e9  # a hundred years: JSON has no infinity

# placeholders in a plan's texts, filled by the launch at the last moment
MAIN_URL = "{openclaude:main-url}"
PROVIDERS_URL = "{openclaude:providers-url}"
MAIN_KEY = "{openclaude:main-key}"
PROVIDERS_KEY = "{openclaude:providers-key}"
STACK_FOLDER = "{openclaude:stack-folder}"


class Unit(NamedTuple):
    """One process we own: the application it serves and the environment it is given.

    `environment` is all of it but for `inherit`: names taken over from the user's environment when
    they are set there. Values may hold the placeholders above. `secrets` says where the value of a
    variable is (`env:NAME`, `file:PATH`, `command:ARGV`); it is fetched when the unit starts.
    """

    name: str
    application: str  # module:attribute of an ASGI application
    environment: dict[str, str]
    inherit: tuple[str, ...]
    prepare: tuple[str, ...] = ()  # module:function, called once before the application is made
    secrets: dict[str, str] = {}  # variable -> secret reference  # noqa: RUF012 - never changed


class TierPlan(NamedTuple):
    """Where the requests of one tier go."""

    tier: str
    model: str  # what the profile says: provider/model, a claude-... id, or "claude"
    slot: str  # the slot id claude asks for, or "" where the tier is Claude's
    label: str
    region: str
    context_window: int  # tokens; 0 where the tier is Claude's
    max_output_tokens: int
    behaves_as: str  # the Claude model claude should take the slot for, or ""


class LaunchPlan(NamedTuple):
    """What claude is given, before the user's own settings are merged in."""

    environment: dict[str, str]  # for the settings file's `env`
    default_environment: dict[str, str]  # the same, where the user has not chosen a value
    remove: tuple[str, ...]  # names that must not be in claude's process environment
    picker: tuple[dict[str, str], ...]  # rows for the settings file's `modelPicker`
    agents: dict[str, dict[str, Any]]  # for `--agents`


class Plan(NamedTuple):
    """Everything one profile's stack and launches do."""

    profile: str
    port: int  # preferred: main here, providers on the next
    strict: bool  # no other pair when this one is busy
    anthropic_url: str
    aws_profile: str  # the named AWS profile the providers use, or ""
    tiers: tuple[TierPlan, ...]
    units: tuple[Unit, ...]
    files: dict[str, str]  # name -> text of what the units read
    launch: LaunchPlan
    preload_environment: dict[str, str]  # all that the preloader gets; no secret
    idle_sleep_s: float = NEVER_S  # without a request for this long, the units end
    linger_s: float = NEVER_S  # without a session for this long, everything ends
    digest: str = ""

    def to_json(self) -> str:
        """The plan as one JSON document; `read_plan` is its inverse."""
        document = {
            "version": PLAN_VERSION,
            **self._asdict(),
            "tiers": [tier._asdict() for tier in self.tiers],
            "units": [unit._asdict() for unit in self.units],
            "launch": self.launch._asdict(),
        }
        return json.dumps(document, indent=2, sort_keys=True) + "\n"

    def sealed(self, made_by: str) -> Plan:
        """The plan with its digest: over everything in it and the version that made it."""
        import hashlib  # 4 ms that only a compile pays

        blank = self._replace(digest="")
        digest = hashlib.sha256(f"{made_by}\n{blank.to_json()}".encode()).hexdigest()
        return blank._replace(digest=f"sha256:{digest}")

    @property
    def slots(self) -> tuple[TierPlan, ...]:
        """The tiers that do not go to Anthropic."""
        return tuple(tier for tier in self.tiers if tier.slot)


def read_plan(text: str) -> Plan:
    """The plan that `Plan.to_json` wrote.

    Raises ValueError, KeyError or TypeError when the text is no plan of this version; a caller with
    a cached plan then compiles again.
    """
    document = json.loads(text)
    if document.pop("version") != PLAN_VERSION:
        raise ValueError("a plan of another version")
    launch = document["launch"]
    return Plan(
        **{
            **document,
            "tiers": tuple(TierPlan(**tier) for tier in document["tiers"]),
            "units": tuple(
                Unit(
                    **{
                        **unit,
                        "inherit": tuple(unit["inherit"]),
                        "prepare": tuple(unit["prepare"]),
                    }
                )
                for unit in document["units"]
            ),
            "launch": LaunchPlan(
                **{
                    **launch,
                    "remove": tuple(launch["remove"]),
                    "picker": tuple(launch["picker"]),
                }
            ),
        }
    )
