"""References: names of models and locations of secrets, each parsed in one place.

Knows: how a person writes `PROVIDER/MODEL` and `env:NAME`, and what is allowed there.
Independent of: which providers, models and secrets exist. Standard library only: a warm launch
reads it, so what only a profile's check needs is compiled or imported when it is used.
"""

from __future__ import annotations

import re
from enum import StrEnum

from openclaude.contracts.record import Record

CLAUDE = "claude"
CLAUDE_AT_BEDROCK = "anthropic.claude"  # in the ids of Claude's models there
CLAUDE_ID = r"claude-[a-z0-9][a-z0-9._-]*(?:\[1m\])?"
BEDROCK = "bedrock"
# Bedrock's routes, which LiteLLM writes in front of a model: for Claude with Anthropic's own body,
# and for every other model
INVOKE, CONVERSE = "invoke", "converse"
REGION = r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}"
ARN_START = "arn:"
LONGEST_MODEL = 200
SHOWN = 80

LONGEST_VARIABLE = 128
LONGEST_SECRET = 1000
REFERENCE_RULE = "allowed: `env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENTS`"


class BadReference(ValueError):
    """A text that is not a reference; the message and the hint say what one looks like."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


# Models ------------------------------------------------------------------------------------------


class ModelRef(Record):
    """A model as a profile names it: provider and id."""

    provider: str  # CLAUDE where Anthropic's own API is meant; "" where the name has none
    model_id: str  # the provider's own id; "" where the name has none
    region: str = ""  # Bedrock's, where the name itself has one

    def __str__(self) -> str:
        """The name, as a profile writes it."""
        if self.is_claude or not self.provider:
            return self.model_id
        return "/".join([self.provider, *filter(None, [self.region]), self.model_id])

    @property
    def is_claude(self) -> bool:
        """Whether Anthropic's own API is meant."""
        return self.provider == CLAUDE

    @property
    def is_bedrock(self) -> bool:
        """Whether AWS serves the model."""
        return self.provider == BEDROCK

    @property
    def is_whole(self) -> bool:
        """Whether the name has both a provider and an id."""
        return bool(self.provider and self.model_id)


# Claude at Anthropic with a key of the user's own, in place of the plan's login; and whichever of
# its models was asked for
OWN_CLAUDE = "anthropic/claude-"
SAME_CLAUDE = f"{OWN_CLAUDE}*"
NO_MODEL = ModelRef(provider="", model_id="")


def is_claude(name: str) -> bool:
    """Whether a model's name means Anthropic's own API; it need not be one of Anthropic's ids."""
    return name == CLAUDE or name.startswith(("claude-", "claude/"))


def is_own_claude(name: str) -> bool:
    """Whether a provider's model is Claude at Anthropic itself, if no tier says where it is."""
    return name.startswith(OWN_CLAUDE)


def split_model(name: str) -> ModelRef:
    """The parts of a text used as a model's name, which may not be valid.

    For messages about unchecked text.
    """
    if is_claude(name):
        return ModelRef(provider=CLAUDE, model_id=name)
    provider, slash, rest = name.partition("/")
    if not slash or not provider:
        return ModelRef(provider="", model_id=name)
    region, slash, model_id = rest.partition("/")
    if provider == BEDROCK and slash and re.fullmatch(REGION, region):
        return ModelRef(provider=provider, model_id=model_id, region=region)
    return ModelRef(provider=provider, model_id=rest)


def parse_model(name: str) -> ModelRef:
    """The model of a tier: `claude`, an id of Anthropic's, or `PROVIDER/MODEL`.

    `bedrock/converse/ID`, `bedrock/invoke/ID` and `bedrock/ID` are the same. Raises BadReference.
    """
    if not name or not name.isprintable() or " " in name or len(name) > LONGEST_MODEL:
        raise BadReference("must be a model name, for example `bedrock/qwen.qwen3-next-80b-a3b`")
    model = split_model(name)
    if model.is_claude and name != CLAUDE and not re.fullmatch(CLAUDE_ID, name):
        shown = name if len(name) <= SHOWN else name[: SHOWN - 3] + "..."
        raise BadReference(
            f'"{shown}" is not an Anthropic model id', "for example `claude-opus-5-5`"
        )
    if not model.is_bedrock:
        return model
    if model.region:
        hint = f'write `region = "{model.region}"`'
        raise BadReference("the region belongs in a key of its own", hint)
    return ModelRef(provider=BEDROCK, model_id=parse_bedrock_path(model.model_id))


def parse_second_model(name: str) -> ModelRef:
    """A model without its own tier: `PROVIDER/MODEL`, or `bedrock/REGION/MODEL`.

    Raises BadReference.

    """
    model = split_model(name)
    if model.is_claude:
        raise BadReference(
            "must be a provider's model: your Claude login is not a fallback",
            "for example `bedrock/openai.gpt-oss-120b-1:0`",
        )
    if not model.region:
        return parse_model(name)
    bare = parse_model(f"{model.provider}/{model.model_id}")
    return bare._replace(region=model.region)


def parse_bedrock_path(path: str) -> str:
    """The id after `bedrock/`: the route follows from the model and is not part of the id.

    Raises BadReference.

    """
    parts = path.split("/")
    if parts[0] == CONVERSE or (parts[0] == INVOKE and CLAUDE_AT_BEDROCK in path):
        parts = parts[1:]
    if parts and re.fullmatch(REGION, parts[0]):
        hint = f'write `region = "{parts[0]}"`'
        raise BadReference("the region belongs in a key of its own", hint)
    if parts and parts[0].startswith(ARN_START) and len(parts) == 2:
        parts = ["/".join(parts)]  # an ARN has one slash of its own
    if len(parts) != 1 or not parts[0]:
        raise BadReference("must be `bedrock/ID`: the route follows from the model")
    return parts[0]


# Secrets -----------------------------------------------------------------------------------------


class SecretKind(StrEnum):
    """The kinds of secret references."""

    ENV = "env"
    FILE = "file"
    COMMAND = "command"


SECRET_KINDS: dict[str, SecretKind] = {kind.value: kind for kind in SecretKind}


class SecretRef(Record):
    """A reference to a secret, never the secret itself."""

    kind: SecretKind
    target: str  # the variable, the path, or the program with its arguments

    def __str__(self) -> str:
        """The reference, as a profile writes it."""
        return f"{self.kind}:{self.target}"

    @property
    def variable(self) -> str:
        """The environment variable with the secret; "" for another kind."""
        return self.target if self.kind is SecretKind.ENV else ""

    @property
    def program(self) -> str:
        """The program that prints the secret; "" for another kind."""
        return self.target.split()[0] if self.kind is SecretKind.COMMAND else ""


def variable_ref(name: str) -> SecretRef:
    """A secret in a variable of the environment."""
    return SecretRef(kind=SecretKind.ENV, target=name)


def parse_secret(text: str) -> SecretRef:
    """Where a secret is.

    Raises BadReference, which never repeats the text: it may be the secret.
    """
    name, _, target = text.partition(":")
    kind = SECRET_KINDS.get(name)
    is_usable = len(text) <= LONGEST_SECRET and text.isprintable()
    if kind and is_usable and is_target(kind, target):
        return SecretRef(kind=kind, target=target)
    raise BadReference(
        "must say where the secret is, not the secret itself",
        f"{REFERENCE_RULE}; if this was a secret, revoke it at its provider",
    )


def is_secret(value: object) -> bool:
    """Whether a value is a secret reference."""
    try:
        return isinstance(value, str) and bool(parse_secret(value))
    except BadReference:
        return False


def is_target(kind: SecretKind, target: str) -> bool:
    """Whether a secret of this kind can be at `target`."""
    match kind:
        case SecretKind.ENV:
            is_short = len(target) <= LONGEST_VARIABLE
            return is_short and target.isascii() and target.isidentifier()
        case SecretKind.FILE:
            return target.startswith(("/", "~/"))
        case SecretKind.COMMAND:
            return is_command(target)


def is_command(text: str) -> bool:
    """Whether a text can be split into a program and its arguments."""
    import shlex  # only a few profiles have such a secret

    try:
        return bool(shlex.split(text))
    except ValueError:
        return False
