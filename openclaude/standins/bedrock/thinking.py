"""What each family of models on Bedrock takes about its thinking, and how it tells its thoughts.

Knows: public reports and AWS's guides, named at each family; none was checked against AWS itself.
Independent of: HTTP, scripts. Each problem causes a 400, in AWS's words if they are known.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

Body = Mapping[str, Any]

PREFIX = re.compile(r"(?:arn:.*/)?(?:(?:global|us|us-gov|eu|apac|jp|au|in|ca|sa|me|af)\.)?")
EXTRANEOUS = "The model returned the following errors: extraneous key [{}] is not permitted"
IN_USER_TURN = (
    "User messages cannot contain reasoning content. Please remove the reasoning content and try "
    "again."
)
UNSIGNED = "The model returned the following errors: {}.thinking.signature: Field required"
FORGED = "The model returned the following errors: {}: Invalid `signature` in `thinking` block"
SIGNED = "The model returned the following errors: {}: reasoning with a signature is not supported"
UNREADABLE = "The model returned the following errors: {}: the redacted content cannot be read"
MISSING = (
    "The model returned the following errors: {}: Expected `thinking` or `redacted_thinking`, but "
    "found `tool_use`"
)
EFFORTS = ("low", "medium", "high")
REDACTED_TEXT = "[REDACTED]"


class Telling(Enum):
    """How a family tells its thoughts, and takes them back."""

    PLAIN = auto()  # as text; a signature is refused
    SIGNED = auto()  # as text with a signature, without which they are refused
    REDACTED = auto()  # as bytes that nobody else can read
    MASKED = auto()  # as a text in place of them; none are taken back
    NOT_TAKEN = auto()  # as text, which is refused when it comes back


def one_of(key: str, *values: Any) -> Callable[[Body], Iterator[str]]:
    """Return a rule: a field with one of these values, and no other."""

    def rule(body: Body) -> Iterator[str]:
        fields = body.get("additionalModelRequestFields") or {}
        yield from (EXTRANEOUS.format(name) for name in fields if name != key)
        if key in fields and fields[key] not in values:
            yield f"The model returned the following errors: {key}: {fields[key]!r} is not valid"

    return rule


def nova(body: Body) -> Iterator[str]:
    """Nova 2; with the effort `high` it takes no limit and no sampling."""
    efforts = [{"type": "enabled", "maxReasoningEffort": effort} for effort in EFFORTS]
    yield from one_of("reasoningConfig", {"type": "disabled"}, *efforts)(body)
    fields = body.get("additionalModelRequestFields") or {}
    limits = (body.get("inferenceConfig") or {}).keys() & {"maxTokens", "temperature", "topP"}
    if fields.get("reasoningConfig") == efforts[-1] and limits:
        yield f"{', '.join(sorted(limits))} must be unset when maxReasoningEffort is high"


def claude(body: Body) -> Iterator[str]:
    """Claude, which has Anthropic's own fields."""
    fields = body.get("additionalModelRequestFields") or {}
    known = {"thinking", "output_config", "anthropic_beta", "top_k", "context_management"}
    yield from (EXTRANEOUS.format(name) for name in fields if name not in known)
    thinking = fields.get("thinking") or {}
    if thinking and thinking.get("type") not in ("enabled", "adaptive", "disabled"):
        yield "The model returned the following errors: thinking.type: not valid"
    if (thinking.get("type") == "enabled") is not ("budget_tokens" in thinking):
        yield "The model returned the following errors: thinking.budget_tokens: not valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingFamily:
    """Models of one make."""

    pattern: str  # of the id behind a region's prefix
    rule: Callable[[Body], Iterator[str]]
    telling: Telling


NOTHING = one_of("")
FAMILIES = (
    # docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
    ThinkingFamily(pattern=r"anthropic\.claude-.*", rule=claude, telling=Telling.SIGNED),
    # docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html, vercel/ai#10839,
    # UKGovernmentBEIS/inspect_ai#3767
    ThinkingFamily(pattern=r"amazon\.nova-2-.*", rule=nova, telling=Telling.MASKED),
    # langchain-ai/langchain-aws#741
    ThinkingFamily(
        pattern=r"openai\.gpt-oss-.*",
        rule=one_of("reasoning_effort", *EFFORTS),
        telling=Telling.PLAIN,
    ),
    # stdapi-ai/stdapi.ai#283 (GPT-6 takes no `minimal`), earendil-works/pi#8314
    ThinkingFamily(
        pattern=r"openai\.gpt-\d.*",
        rule=one_of("reasoning", *({"effort": one} for one in ("none", *EFFORTS, "xhigh", "max"))),
        telling=Telling.REDACTED,
    ),
    # anomalyco/opencode#28143, danny-avila/LibreChat#11974
    ThinkingFamily(
        pattern=r"zai\.glm-.*|moonshotai\.kimi-k2\.5",
        rule=one_of("reasoning_config", *EFFORTS),
        telling=Telling.PLAIN,
    ),
    # aws-samples/bedrock-access-gateway#181
    ThinkingFamily(
        pattern=r"deepseek\.v3.*",
        rule=one_of("reasoning_effort", *EFFORTS),
        telling=Telling.NOT_TAKEN,
    ),
    # langchain-ai/langchain-aws#401, strands-agents/harness-sdk#651
    ThinkingFamily(pattern=r"deepseek\..*", rule=NOTHING, telling=Telling.NOT_TAKEN),
    # whatever else: no field is known
    ThinkingFamily(pattern=r".*", rule=NOTHING, telling=Telling.PLAIN),
)


def family_of(model_id: str) -> ThinkingFamily:
    """Return the family of a model, by its id, with a region's prefix or as an ARN."""
    match = PREFIX.match(model_id)
    bare = model_id[match.end() :] if match else model_id
    return next(family for family in FAMILIES if re.fullmatch(family.pattern, bare))


def thinking_problems(model_id: str, body: Body) -> Iterator[str]:
    """Yield what a model's family refuses: a field, a thought of an earlier turn."""
    family = family_of(model_id)
    yield from family.rule(body)
    for turn, message in enumerate(body.get("messages") or ()):
        for place, block in enumerate(message.get("content") or ()):
            thought = block.get("reasoningContent")
            if thought is not None:
                where = f"messages.{turn}.content.{place}"
                yield from _thought_problems(where, message, thought, family.telling, model_id)
    if family.telling is Telling.SIGNED and _is_asked(body):
        yield from _missing_thought(body)


def _thought_problems(
    where: str, message: Body, thought: Body, telling: Telling, model_id: str
) -> Iterator[str]:
    said = thought.get("reasoningText") or {}
    signature = said.get("signature")
    if message.get("role") != "assistant" or telling in (Telling.NOT_TAKEN, Telling.MASKED):
        yield IN_USER_TURN
    elif "redactedContent" in thought:
        if telling is not Telling.REDACTED or thought != redacted(_hidden(thought)):
            yield UNREADABLE.format(where)
    elif telling is Telling.SIGNED:
        if not signature:
            yield UNSIGNED.format(where)
        elif signature != signature_of(model_id, said.get("text", "")):
            yield FORGED.format(where)
    elif signature is not None:
        yield SIGNED.format(where)


def _is_asked(body: Body) -> bool:
    thinking = (body.get("additionalModelRequestFields") or {}).get("thinking") or {}
    return thinking.get("type") == "enabled"


def _missing_thought(body: Body) -> Iterator[str]:
    """The last answer called a tool without the thought that was before it."""
    turns: list[Any] = list(body.get("messages") or ())
    at = len(turns) - 2
    content: list[Any] = list(turns[at].get("content") or []) if at >= 0 else []
    if any("toolUse" in block for block in content) and "reasoningContent" not in content[0]:
        yield MISSING.format(f"messages.{at}.content.0.type")


def signature_of(model_id: str, text: str) -> str:
    """Return what proves a thought to be a model's."""
    digest = hashlib.sha256(f"{model_id}\n{text}".encode()).digest()
    return base64.b64encode(digest).decode()


def redacted(text: str) -> dict[str, str]:
    """Return a thought that nobody else can read."""
    return {"redactedContent": base64.b64encode(b"\xff" + text.encode()).decode()}


def _hidden(thought: Body) -> str:
    """Return the text of a redacted thought; "" for any other."""
    data = base64.b64decode(thought["redactedContent"])
    return data[1:].decode() if data[:1] == b"\xff" else ""


def told(model_id: str, text: str) -> tuple[dict[str, Any], ...]:
    """Return a thought as its model's family tells it: the parts of `reasoningContent`."""
    match family_of(model_id).telling:
        case Telling.SIGNED:
            return ({"text": text}, {"signature": signature_of(model_id, text)})
        case Telling.REDACTED:
            return (redacted(text),)
        case Telling.MASKED:
            return ({"text": REDACTED_TEXT},)
        case _:
            return ({"text": text},)
