"""The schema: what a profile may say, key by key.

Knows: every key of the design, its type, and what can be judged of a value by looking at it alone.
Independent of: files, the model map, providers, LiteLLM.
Whoever holds a `Profile` holds one whose base URL may be given the plan's token.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from openclaude.contracts.capabilities import MARKUPS
from openclaude.contracts.references import CLAUDE, ModelRef, split_model
from openclaude.profile import values
from openclaude.providers.search import ENGINES

TIERS = values.TIERS
ANTHROPIC_URL = values.ANTHROPIC_URL
STOP = values.STOP

Line = Annotated[str, AfterValidator(values.check_line)]
Label = Annotated[str, AfterValidator(values.check_label)]
Name = Annotated[str, AfterValidator(values.check_extends)]
ModelName = Annotated[str, AfterValidator(values.check_model_name)]
Dollars = Annotated[float, AfterValidator(values.check_dollars)]
AfterBudget = Annotated[str, AfterValidator(values.check_after_budget)]
PositiveInt = Annotated[int, AfterValidator(values.check_positive)]
Port = Annotated[int, AfterValidator(values.check_port)]
FurtherPort = Annotated[int, AfterValidator(values.check_further_port)]
Otlp = Annotated[str, AfterValidator(values.check_otlp)]
ApiBase = Annotated[str, AfterValidator(values.check_api_base)]
Reference = Annotated[str, AfterValidator(values.check_reference)]
ServerUrl = Annotated[str, AfterValidator(values.check_server_url)]
AbsolutePath = Annotated[str, AfterValidator(values.check_absolute)]
EndpointUrl = Annotated[str, AfterValidator(values.check_endpoint_url)]
Program = Annotated[str, AfterValidator(values.check_program)]
OnExpired = Annotated[str, AfterValidator(values.one_of("login", "ask", "stop"))]
Duration = Annotated[str, AfterValidator(values.check_duration)]
Auth = Annotated[str, AfterValidator(values.one_of("plan", "api-key", "none"))]
Searcher = Annotated[str, AfterValidator(values.one_of(CLAUDE, "none", *ENGINES))]
SchemaNumber = Annotated[int, AfterValidator(values.check_schema_number)]
TierName = Annotated[str, AfterValidator(values.one_of(*TIERS))]
ProviderModel = Annotated[str, AfterValidator(values.check_provider_model)]
Vision = Annotated[bool | str, BeforeValidator(values.check_vision)]
Markup = Annotated[str, AfterValidator(values.one_of(*MARKUPS))]
Lines = Annotated[tuple[Line, ...], Field(strict=False)]
Names = Annotated[tuple[ProviderModel, ...], Field(strict=False)]


class Table(BaseModel):
    """A TOML table: no unknown key, no value of another type, never changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Tier(Table):
    """What one of claude's tiers runs on."""

    model: ModelName
    region: Line | None = None
    regions: Lines = ()
    fallbacks: Names = ()
    label: Label | None = None
    max_output_tokens: PositiveInt | None = None
    context_window: PositiveInt | None = None
    vision: Vision | None = None
    thinking: bool | None = None
    markup: Markup | None = None
    api_key: Reference | None = None
    api_base: ApiBase | None = None
    params: dict[str, Any] = {}
    budget_day: Dollars | None = None
    budget_month: Dollars | None = None
    budget_session: Dollars | None = None

    @property
    def is_claude(self) -> bool:
        """Whether requests of this tier go to Anthropic with the user's own login."""
        return self.model_ref.is_claude

    @property
    def model_ref(self) -> ModelRef:
        """The tier's model, in its parts."""
        return split_model(self.model)

    @property
    def provider(self) -> str:
        """Who serves the tier: `claude`, or the part of the model's name before the slash."""
        return self.model_ref.provider


class Anthropic(Table):
    """How requests reach Anthropic."""

    auth: Auth = "plan"
    api_key: Reference | None = None
    base_url: str = ANTHROPIC_URL
    on_limit: ProviderModel | None = None
    first_party: bool = False

    @field_validator("base_url")
    @classmethod
    def check_base_url(cls, value: str, info: ValidationInfo) -> str:
        """Judged with `auth`, which stands before it; strictly where that is wrong itself."""
        return values.check_base_url(value, info.data.get("auth", "plan"))


class Aws(Table):
    """Which credentials and region the Bedrock tiers use."""

    profile: Line | None = None
    api_key: Reference | None = None
    region: Line | None = None
    endpoint_url: EndpointUrl | None = None
    on_expired: OnExpired = "ask"
    login: Program | None = None


class ProvidersTable(Table):
    """Where the models are served, if not by this machine's own providers."""

    url: ServerUrl | None = None
    ca: AbsolutePath | None = None
    key: Reference | None = None


class Listen(Table):
    """Where main listens; providers listens on the next port."""

    port: Port = 4000
    strict: bool = False
    tls: bool = True


class Search(Table):
    """Who searches the web for a slot."""

    with_: Searcher = Field(default=CLAUDE, alias="with")
    api_base: ApiBase | None = None
    api_key: Reference | None = None


class Agents(Table):
    """Which tier claude's own subagents use."""

    explore: TierName | None = None
    plan: TierName | None = None
    general: TierName | None = None
    all: TierName | None = None


class AutoMode(Table):
    """What judges a slot's tool calls in claude's auto mode."""

    classifier: ProviderModel | None = None


class Stack(Table):
    """How long an unused stack stays."""

    idle_sleep: Duration = "15m"
    linger: Duration = "10m"

    @property
    def idle_sleep_s(self) -> float:
        """Seconds without a request after which LiteLLM leaves memory."""
        return values.seconds(self.idle_sleep)

    @property
    def linger_s(self) -> float:
        """Seconds after the last session after which everything ends."""
        return values.seconds(self.linger)


class LaunchTable(Table):
    """What a launch adds to claude."""

    statusline: bool = True


class Ledger(Table):
    """What is written down of each request."""

    keep: Duration = "90d"

    @property
    def keep_s(self) -> float:
        """Seconds after which an entry is removed; 0: nothing is written."""
        return values.seconds(self.keep)


class TelemetryTable(Table):
    """Who gets the figures of each request, besides the ledger."""

    otlp: Otlp | None = None
    prometheus: FurtherPort | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether there is any telemetry."""
        return self.otlp is not None or self.prometheus is not None


class BudgetTable(Table):
    """What slots may cost, in US dollars, and what happens then."""

    day: Dollars | None = None
    month: Dollars | None = None
    session: Dollars | None = None
    then: AfterBudget = STOP
    requests_per_minute: PositiveInt | None = None


class Heading(Table):
    """What each file says of itself; nothing here is inherited from a parent."""

    schema_number: SchemaNumber = Field(alias="schema")
    description: Line = ""
    extends: Name | None = None


def widen_tiers(given: object) -> object:
    """The short form of a tier, `haiku = "bedrock/..."`, as the long one."""
    if not isinstance(given, dict):
        return given
    return {
        name: {"model": tier} if isinstance(tier, str) else tier for name, tier in given.items()
    }


def complete_tiers(given: dict[str, Tier]) -> dict[str, Tier]:
    """All four tiers in their order; one left out is Claude."""
    return {name: given.get(name) or Tier(model=CLAUDE) for name in TIERS}


Tiers = Annotated[
    dict[Annotated[str, AfterValidator(values.tier_key(TIERS))], Tier],
    BeforeValidator(widen_tiers),
    AfterValidator(complete_tiers),
]


class Profile(Heading):
    """A whole profile, parents merged in."""

    tiers: Tiers = Field(default_factory=lambda: complete_tiers({}))
    anthropic: Anthropic = Anthropic()
    aws: Aws = Aws()
    providers: ProvidersTable = ProvidersTable()
    listen: Listen = Listen()
    search: Search = Search()
    agents: Agents = Agents()
    auto_mode: AutoMode = AutoMode()
    stack: Stack = Stack()
    launch: LaunchTable = LaunchTable()
    ledger: Ledger = Ledger()
    telemetry: TelemetryTable = TelemetryTable()
    budget: BudgetTable = BudgetTable()

    def region_of(self, tier_name: str) -> str | None:
        """The AWS region of a tier: its own, else the profile's."""
        return self.tiers[tier_name].region or self.aws.region


TABLES: dict[tuple[str, ...], type[Table]] = {
    (): Profile,
    ("tiers", "*"): Tier,
    ("anthropic",): Anthropic,
    ("aws",): Aws,
    ("providers",): ProvidersTable,
    ("listen",): Listen,
    ("search",): Search,
    ("agents",): Agents,
    ("auto_mode",): AutoMode,
    ("stack",): Stack,
    ("launch",): LaunchTable,
    ("ledger",): Ledger,
    ("telemetry",): TelemetryTable,
    ("budget",): BudgetTable,
}


def allowed_keys(table: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that the table at this place of a profile may have."""
    if table == ("tiers",):
        return TIERS
    place = ("tiers", "*") if table[:1] == ("tiers",) else table
    return tuple(field.alias or name for name, field in TABLES[place].model_fields.items())
