"""Capabilities: what a model can take, and how that travels to the guard.

Knows: every capability, how those of two combine, and the record that compile writes into a
deployment's `model_info`. Independent of: which provider has which; that is `providers.table`.
A new capability is one line in `Capabilities`: its type, its rule, and the default, which is what
takes everything, so that an unknown provider is not restricted.
"""

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from openclaude.contracts.decode import Malformed, decode
from openclaude.contracts.record import Record

# The chat templates of open models, in which a server that does not read them leaves calls and
# thoughts as text; and a model that writes none
MARKUPS = ("hermes", "qwen", "kimi", "dsml", "minimax", "harmony", "none")
UNKNOWN_OUTPUT_TOKENS = 4096  # what any model can answer


def both(one: bool, other: bool) -> bool:
    """A feature that may be used only if both support it."""
    return one and other


def either(one: bool, other: bool) -> bool:
    """A restriction that applies if either has it."""
    return one or other


def shared(one: str, other: str) -> str:
    """A name that one of them gives, or both give alike."""
    return (one or other) if one == other or not (one and other) else ""


class Asking(StrEnum):
    """How a model is asked to think."""

    DROPPED = "dropped"  # not at all: no document says how, and it does as it does
    ANTHROPIC = "anthropic"  # in Anthropic's words, which LiteLLM writes for the provider
    EFFORT = "effort"  # by an effort, which LiteLLM writes as the provider's parameter
    CONFIG = "config"  # by an effort in `reasoning_config`, which LiteLLM does not know


class Thinking(Record):
    """What a model takes about its thinking."""

    asking: Asking = Asking.DROPPED
    efforts: tuple[str, ...] = ()  # those it takes, the smallest first
    returns: bool = False  # it gets its own thoughts of earlier turns back


NO_THOUGHTS = ""
THINKING_OFF = "off"


def agreed(one: Any, other: Any) -> Any:
    """What both say; None says nothing, and of what they disagree about nothing is known."""
    if one is None or other is None:
        return other if one is None else one
    return one if one == other else type(one)()


class Capabilities(Record):
    """What a model accepts, and its restrictions.

    The rule of each field says how two sources combine: a provider and the model itself, or two
    deployments of a slot, of which LiteLLM takes one.
    """

    max_output_tokens: Annotated[int, min] = sys.maxsize
    supports_vision: Annotated[bool, both] = True
    # PDFs as PDFs; LiteLLM sends them to most providers as images, which they refuse, in that turn
    # and in every later one (measured)
    supports_pdf_input: Annotated[bool, both] = True
    supports_reasoning: Annotated[bool, both] = True
    thinking: Annotated[Thinking | None, agreed] = None
    # By which name its thoughts are known when they come back; "" for one that shows none
    thoughts: Annotated[str | None, agreed] = None
    # LiteLLM asks with Anthropic's own API: the body arrives as it was sent (measured)
    speaks_anthropic: Annotated[bool, either] = False
    # Who serves this Claude with Anthropic's own body, of which it reads everything; that provider
    # signs its thoughts, and gets them back. "" for any other model
    claude_signer: Annotated[str, shared] = ""
    # it thinks with a budget, and so refuses calls without the thought that led to them
    thinks_by_budget: Annotated[bool, either] = False
    # refuses a conversation whose thoughts did not come back to it
    requires_reasoning_echo: Annotated[bool, either] = False
    # a request for structured output arrives, and is understood
    supports_json_schema: Annotated[bool, both] = True
    # A cache mark is of use. For Google LiteLLM makes a stored copy of everything before it: two
    # calls more, and a bill for every hour it is kept (measured). Strict servers refuse it.
    takes_cache_marks: Annotated[bool, both] = True
    # content that is nothing but text as a string, and no list of parts
    wants_strings: Annotated[bool, either] = False
    # the ids of calls: how long, and in which form
    max_call_id: Annotated[int, min] = sys.maxsize
    wants_nine_letters: Annotated[bool, either] = False  # Mistral's
    wants_kimi_ids: Annotated[bool, either] = False  # `functions.NAME:N`
    # of a request's tools: how many, how deep their schemas, and in which language
    max_tools: Annotated[int, min] = sys.maxsize
    max_schema_depth: Annotated[int, min] = 64  # LiteLLM itself ends at 100 (measured)
    takes_full_schema: Annotated[bool, both] = True  # JSON schema, not Google's subset of OpenAPI


RULES: Mapping[str, Callable[[Any, Any], Any]] = {
    name: kind.__metadata__[0] for name, kind in Capabilities._kinds.items()
}


def combine(one: Capabilities, other: Capabilities) -> Capabilities:
    """The combination of both, field by field."""
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in RULES}
    return Capabilities(**{name: RULES[name](*pair) for name, pair in pairs.items()})


class ModelInfo(Record, is_open=True):
    """A deployment's `model_info` in LiteLLM's config: what compile knows of the very model.

    The names are LiteLLM's own, except ours at the end. The defaults apply to a deployment without
    information.
    """

    base_model: str = ""
    max_input_tokens: int = 0
    max_output_tokens: int = UNKNOWN_OUTPUT_TOKENS
    supports_vision: bool = False
    supports_pdf_input: bool = False
    supports_reasoning: bool = False
    supported_endpoints: tuple[str, ...] = ()
    openclaude_markup: str = ""  # how it writes calls as text, where the profile says so
    openclaude_notice: str = ""  # to be said where the model answers in place of another
    openclaude_name: str = ""  # what its replies give as their model
    openclaude_signer: str = ""  # whose proofs its thoughts have, where a Claude reads everything
    openclaude_thinking: str = ""  # "off" where the profile wants no thoughts

    def as_config(self) -> dict[str, Any]:
        """As it is written; `read_model_info` is its inverse. Empty texts are left out."""
        return {name: value for name, value in self._asdict().items() if value not in ("", ())}

    def capabilities(self) -> Capabilities:
        """The model's own capabilities, whichever provider serves it."""
        is_off = self.openclaude_thinking == THINKING_OFF
        return Capabilities(
            max_output_tokens=self.max_output_tokens,
            supports_vision=self.supports_vision,
            supports_pdf_input=self.supports_pdf_input,
            supports_reasoning=self.supports_reasoning and not is_off,
            thoughts=NO_THOUGHTS if is_off else None,
        )


def read_model_info(info: Any, what: str) -> ModelInfo:
    """A deployment's `model_info`, without what LiteLLM adds to it. Raises Malformed.

    LiteLLM writes null for missing values.
    """
    if isinstance(info, dict):
        info = {name: value for name, value in info.items() if value is not None}
    read = decode(ModelInfo, {} if info is None else info, what)
    if read.max_output_tokens < 1:
        raise Malformed(f"{what}: `max_output_tokens` must be 1 or more")
    return read
