"""The routing table: main's view of its profile, passed in an environment variable.

Knows: the fields, their types, the JSON form. Independent of: who fills it in, how a request is
routed by it.
"""

import enum
import json
from collections.abc import Mapping

from openclaude.contracts.decode import Malformed, encode, read
from openclaude.contracts.record import Record

VARIABLE = "OPENCLAUDE_ROUTES"
OLD_VARIABLE = "OPENCLAUDE_LANES"  # in the plans of a supervisor of 0.2.0 or older
REGION_MARK = "-region-"  # in the name of a slot's model in a further region
LEDGER = "OPENCLAUDE_LEDGER"  # main's ledger: its path, and for how many seconds it keeps an entry
LEDGER_FOLDER, LEDGER_FILE = "ledger", "requests.sqlite3"  # in the folder of openclaude's state
LEDGER_KEEP = "OPENCLAUDE_LEDGER_KEEP_S"
# the variable of `providers` with the engine that searches the web for slots; its name for LiteLLM
SEARCH_VARIABLE, SEARCH_TOOL = "OPENCLAUDE_SEARCH", "openclaude-search"
WHAT = "main's routing table"  # in the sentences about one that cannot be read
TELEMETRY_VARIABLE = "OPENCLAUDE_TELEMETRY"


class AnthropicAuth(enum.StrEnum):
    """Who pays at Anthropic."""

    PLAN = "plan"
    API_KEY = "api-key"
    NONE = "none"


class SlotRoute(Record):
    """What main knows about a slot; every field may be empty."""

    model: str = ""
    context_window: int = 0  # tokens
    aws_profile: str = ""
    key: str = ""  # where the provider's key is: a reference, never the key
    address: str = ""  # the provider's, where the profile names one
    profile: str = ""  # openclaude's, which the commands in error messages are to name
    claude: str = ""  # the id at Anthropic of who answers claude's helpers
    # Claude's own id of the tier, if claude asks for the slot by it: the slot answers for it
    stands_for: str = ""
    server: str = ""  # the address of who serves it, if not this machine's own providers
    asked_as: str = ""  # the model's name there
    provider: str = ""  # the provider's, by LiteLLM's word
    counts: bool = False  # the provider itself counts tokens


class EyesRoute(Record):
    """The model that describes images for a slot whose own cannot see them."""

    group: str  # its name on `providers`
    model: str  # as in the profile
    route: SlotRoute
    reads_pdf: bool = False


class StepPrice(Record):
    """What tokens cost in a request whose prompt is longer than `above` tokens, in US dollars."""

    above: int
    input: float | None = None
    output: float | None = None


class ModelPrices(Record):
    """A model that may answer in a slot, and what its tokens cost in US dollars; None: unknown."""

    provider: str
    region: str = ""
    is_fallback: bool = False
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    steps: tuple[StepPrice, ...] = ()
    priced_by: str = ""  # whose prices they are


class RoutingTable(Record):
    """Where main sends which model."""

    slots: dict[str, SlotRoute]  # by slot id
    auth: AnthropicAuth = AnthropicAuth.PLAN
    on_limit: str = ""  # the slot that answers when the plan's limit is reached
    # the same by the family of the Claude model that was asked for, if each has its own
    same_at_limit: dict[str, str] = {}  # noqa: RUF012 - never changed
    agents: dict[str, str] = {}  # claude's own agents by name -> slot id  # noqa: RUF012 - never changed
    searches_at_anthropic: bool = True  # a slot's server tools, where claude's login pays
    profile: str = ""
    # who describes images, by the id of the slot that is asked
    eyes: dict[str, EyesRoute] = {}  # noqa: RUF012 - never changed
    models: dict[str, ModelPrices] = {}  # by the name in replies  # noqa: RUF012 - never changed

    def to_json(self) -> str:
        """The table as one JSON document; `read_routing` is its inverse."""
        return json.dumps(encode(self))


class TelemetryTargets(Record):
    """Where main sends the figures of each request, and where it shows them."""

    profile: str
    otlp: str = ""  # an address of this machine
    prometheus: int = 0  # a port of this machine

    def to_json(self) -> str:
        """The targets as one JSON document; `telemetry_targets_in` reads it."""
        return json.dumps(encode(self))


def telemetry_targets_in(env: Mapping[str, str]) -> TelemetryTargets | None:
    """The targets in the environment of main, if there are any. Raises Malformed."""
    text = env.get(TELEMETRY_VARIABLE)
    return read(TelemetryTargets, text, "main's telemetry") if text else None


def read_routing(text: str) -> RoutingTable:
    """The table that `RoutingTable.to_json` wrote. Raises Malformed."""
    table = read(RoutingTable, text, WHAT)
    if table.on_limit and table.on_limit not in table.slots:
        raise Malformed(f"{WHAT}: `on_limit` is not a slot of the table")
    if not table.slots.keys() >= {*table.same_at_limit.values()}:
        raise Malformed(f"{WHAT}: `same_at_limit` names what is not a slot of the table")
    if not table.slots.keys() >= {*table.agents.values()}:
        raise Malformed(f"{WHAT}: `agents` names what is not a slot of the table")
    return table


def routing_in(env: Mapping[str, str]) -> RoutingTable:
    """The table in the environment of main. Raises KeyError or Malformed."""
    return read_routing(env[VARIABLE if VARIABLE in env else OLD_VARIABLE])
