"""The plan: everything a stack and a launch will do, as plain frozen data.

Knows: units, listeners, tiers, the launch. Independent of: how it is decided or carried out. A plan
contains names of secrets and local keys, never their values. Annotations are not postponed here:
`decode` reads them.
"""

import json
from typing import Any, Self

from openclaude.contracts.decode import Malformed, decode, encode, read_json
from openclaude.contracts.record import Record
from openclaude.contracts.references import BadReference, parse_secret

PLAN_VERSION = 3
HIGHEST_PORT = 65535  # of the second of a pair
NEVER_S = 3.2e9  # a hundred years: JSON has no infinity

# placeholders in a plan's texts, filled by the launch at the last moment
MAIN_URL = "{openclaude:main-url}"
PROVIDERS_URL = "{openclaude:providers-url}"
MAIN_KEY = "{openclaude:main-key}"
PROVIDERS_KEY = "{openclaude:providers-key}"
STACK_FOLDER = "{openclaude:stack-folder}"


class Unit(Record):
    """One process we own: the application it serves and the environment it is given.

    `environment` is all of it except `inherit`: names taken over from the user's environment when
    they are set there. Values may hold the placeholders above. `secrets` says where the value of a
    variable is (`env:NAME`, `file:PATH`, `command:ARGV`); it is fetched when the unit starts.
    """

    name: str
    application: str  # module:attribute of an ASGI application
    environment: dict[str, str]
    inherit: tuple[str, ...]
    prepare: tuple[str, ...] = ()  # module:function, called once before the application is made
    secrets: dict[str, str] = {}  # variable -> secret reference  # noqa: RUF012 - never changed
    starts_programs: bool = False  # that fetch credentials, as in the user's shell


class TierPlan(Record):
    """Where the requests of one tier go."""

    tier: str
    model: str  # what the profile says: provider/model, a claude-... id, or "claude"
    slot: str  # the slot's id, or "" where the tier is Claude's
    label: str
    region: str
    context_window: int  # tokens; 0 where the tier is Claude's
    max_output_tokens: int
    behaves_as: str  # the id of Claude's by which claude asks for it, or "" where by the slot's own


class LaunchPlan(Record):
    """claude's settings, before the user's own are merged in."""

    environment: dict[str, str]  # for the settings file's `env`
    default_environment: dict[str, str]  # the same, where the user has not chosen a value
    remove: tuple[str, ...]  # names that must not be in claude's process environment
    picker: tuple[dict[str, str], ...]  # rows for the settings file's `modelPicker`, the slots'
    agents: dict[str, dict[str, Any]]  # for `--agents`
    # for the settings file's `modelSettings`: by model, as claude's settings have it
    model_settings: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - never changed
    # rows of the same for the tiers that are Claude's; with them, claude leaves out its own
    claude_rows: tuple[dict[str, str], ...] = ()
    # names that would bind one of claude's aliases past a slot: emptied where the user has set them
    unbound: tuple[str, ...] = ()
    has_status_line: bool = True  # ours, or the user's own with true figures


# What a launch does where the login of the AWS profile has expired
LOGIN, ASK_FIRST, STOP_LAUNCH = "login", "ask", "stop"


class Plan(Record):
    """The plan of one profile's stack and launches."""

    profile: str
    port: int  # preferred: main here, providers on the next
    strict: bool  # no other pair when this one is busy
    anthropic_url: str
    aws_profile: str  # the named AWS profile the providers use, or ""
    tiers: tuple[TierPlan, ...]
    units: tuple[Unit, ...]
    files: dict[str, str]  # name -> text of what the units read
    launch: LaunchPlan
    preload_environment: dict[str, str]  # all that the forkserver gets; no secret
    before_fork: tuple[str, ...] = ()  # module:function, called last in the forkserver
    idle_sleep_s: float = NEVER_S  # without a request for this long, the units end
    linger_s: float = NEVER_S  # without a session for this long, everything ends
    is_tls: bool = True  # claude speaks TLS to main
    # where the AWS profile's login has expired: log in, ask before that, or stop the launch
    aws_on_expired: str = ASK_FIRST
    aws_login: str = ""  # the program that logs in, with its arguments; "" for the AWS CLI's own
    digest: str = ""

    def to_json(self) -> str:
        """The plan as one JSON document; `read_plan` is its inverse."""
        document = {"version": PLAN_VERSION, **encode(self)}
        return json.dumps(document, indent=2, sort_keys=True) + "\n"

    def sealed(self, made_by: str) -> Self:
        """The plan with its digest: over everything in it and the version that made it."""
        import hashlib  # 4 ms that only a compile pays

        blank = self._replace(digest="")
        digest = hashlib.sha256(f"{made_by}\n{blank.to_json()}".encode()).hexdigest()
        return blank._replace(digest=f"sha256:{digest}")

    @property
    def patience(self) -> dict[str, float]:
        """For how long an unused stack stays, and its units."""
        return {"idle_sleep_s": self.idle_sleep_s, "linger_s": self.linger_s}

    @property
    def slots(self) -> tuple[TierPlan, ...]:
        """The tiers that do not go to Anthropic."""
        return tuple(tier for tier in self.tiers if tier.slot)


def read_plan(text: str) -> Plan:
    """The plan that `Plan.to_json` wrote.

    Raises Malformed, a ValueError, if the text is not a plan of this version; a caller with a
    cached plan then compiles again.
    """
    document = read_json(text, "plan")
    if not isinstance(document, dict) or document.pop("version", None) != PLAN_VERSION:
        raise Malformed("plan: it is from another version")
    plan = decode(Plan, document, "plan")
    if not 0 < plan.port < HIGHEST_PORT:
        raise Malformed(f"plan: `port` must be between 1 and {HIGHEST_PORT - 1}")
    for unit in plan.units:
        for variable, reference in unit.secrets.items():
            check_secret(reference, f"plan: `{variable}` in the secrets of `{unit.name}`")
    return plan


def check_secret(reference: str, what: str) -> None:
    """Raise Malformed for a text that is not a secret reference."""
    try:
        parse_secret(reference)
    except BadReference as error:
        raise Malformed(f"{what} {error}") from None
