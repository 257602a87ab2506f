"""Thinking: how each family of models is asked to think, and whether it gets its thoughts back.

Knows: one row for each family at each provider, with the document that says so. Independent of: how
a request is written, what claude asks. Pure. The first row that fits holds. What no document
settles is not sent: a model then thinks as it does by itself. None of it was seen at a provider.
"""

from __future__ import annotations

import re

from openclaude.contracts.capabilities import Asking, Thinking
from openclaude.contracts.record import Record
from openclaude.contracts.references import BEDROCK
from openclaude.providers.bedrock import read_arn, split_prefix
from openclaude.providers.table import ApiDialect, Provider

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # the smallest first
USUAL = ("low", "medium", "high")
CLAUDES = ("low", "medium", "high", "xhigh", "max")
BY_ITSELF = Thinking()
BY_ITSELF_AND_BACK = Thinking(returns=True)
BY_EFFORT = Thinking(asking=Asking.EFFORT, efforts=USUAL)
BY_EFFORT_AND_BACK = BY_EFFORT._replace(returns=True)


class Row(Record):
    """Models of one make at one provider."""

    provider: str  # "" for any
    pattern: str  # of the whole id, for Bedrock without a region's prefix
    thinking: Thinking
    source: str


# AWS's guide to tools appends a reply to the conversation as it came, and the API's reference calls
# the signature of reasoningContent optional
AS_IT_CAME = "docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html"

ROWS = (
    Row(
        provider="",
        pattern=r"(?:.*anthropic\.)?claude.*",
        thinking=Thinking(asking=Asking.ANTHROPIC, efforts=CLAUDES, returns=True),
        source="platform.claude.com/docs/en/build-with-claude/extended-thinking",
    ),
    # Converse. With the effort `high` Nova takes no maxTokens, which claude always sets
    # (UKGovernmentBEIS/inspect_ai#3767); its thoughts are shown as [REDACTED] (vercel/ai#10839)
    Row(
        provider=BEDROCK,
        pattern=r"amazon\.nova-2-.*",
        thinking=Thinking(asking=Asking.EFFORT, efforts=("low", "medium")),
        source="docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html",
    ),
    Row(
        provider=BEDROCK,
        pattern=r"openai\.gpt-oss-(?!safeguard).*",
        thinking=BY_EFFORT_AND_BACK,
        source=f"langchain-ai/langchain-aws#741, strands-agents/harness-sdk#1053; {AS_IT_CAME}",
    ),
    # (`max` since GPT-5.6: LiteLLM's map)
    Row(
        provider=BEDROCK,
        pattern=r"openai\.gpt-5\.[0-5]\b.*",
        thinking=Thinking(asking=Asking.EFFORT, efforts=CLAUDES[:-1], returns=True),
        source="stdapi-ai/stdapi.ai#283, earendil-works/pi#8314",
    ),
    Row(
        provider=BEDROCK,
        pattern=r"openai\.gpt-[5-9]\b.*",
        thinking=Thinking(asking=Asking.EFFORT, efforts=CLAUDES, returns=True),
        source="stdapi-ai/stdapi.ai#283, earendil-works/pi#8314",
    ),
    Row(
        provider=BEDROCK,
        pattern=r"zai\.glm-.*",
        thinking=Thinking(asking=Asking.CONFIG, efforts=USUAL, returns=True),
        source=f"anomalyco/opencode#28143, danny-avila/LibreChat#11974; {AS_IT_CAME}",
    ),
    Row(
        provider=BEDROCK,
        pattern=r"moonshotai\.kimi-k2\.5",
        thinking=Thinking(asking=Asking.CONFIG, efforts=USUAL, returns=True),
        source=f"danny-avila/LibreChat#11974; {AS_IT_CAME}",
    ),
    # These think always; that Bedrock takes K3's effort is written nowhere
    Row(
        provider=BEDROCK,
        pattern=r"moonshot(?:ai)?\.kimi-.*|minimax\.minimax-.*",
        thinking=BY_ITSELF_AND_BACK,
        source=AS_IT_CAME,
    ),
    # Nothing about thoughts is taken by R1, neither the question nor the thoughts of earlier turns
    # (langchain-ai/langchain-aws#401, strands-agents/harness-sdk#651)
    Row(
        provider=BEDROCK,
        pattern=r"deepseek\.v3.*",
        thinking=BY_EFFORT,
        source="aws-samples/bedrock-access-gateway#181; LiteLLM's converse_transformation.py",
    ),
    Row(provider=BEDROCK, pattern=r".*", thinking=BY_ITSELF, source="none known"),
    # OpenAI's own; thoughts come back as encrypted items of the Responses API
    Row(
        provider="openai",
        pattern=r"gpt-5\.6.*|gpt-[6-9].*",
        thinking=Thinking(asking=Asking.EFFORT, efforts=CLAUDES, returns=True),
        source="developers.openai.com/api/docs/guides/reasoning",
    ),
    Row(
        provider="openai",
        pattern=r"gpt-5.*|o[134]\b.*",
        thinking=BY_EFFORT_AND_BACK,
        source="developers.openai.com/api/docs/guides/reasoning",
    ),
    Row(
        provider="gemini",
        pattern=r".*",
        thinking=Thinking(asking=Asking.ANTHROPIC, efforts=USUAL, returns=True),
        source="ai.google.dev/gemini-api/docs/thought-signatures",
    ),
    Row(
        provider="vertex_ai",
        pattern=r".*",
        thinking=Thinking(asking=Asking.ANTHROPIC, efforts=USUAL, returns=True),
        source="cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures",
    ),
    Row(
        provider="openrouter",
        pattern=r".*",
        thinking=BY_EFFORT_AND_BACK,
        source="openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks",
    ),
    # Kimi: K3 always thinks, as hard as it is told; the others have no degrees
    Row(
        provider="moonshot",
        pattern=r"kimi-k3.*",
        thinking=Thinking(asking=Asking.EFFORT, efforts=("low", "high", "max"), returns=True),
        source="platform.kimi.ai/docs/guide/use-thinking-effort",
    ),
    Row(
        provider="moonshot",
        pattern=r".*",
        thinking=BY_ITSELF_AND_BACK,
        source="platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model",
    ),
    Row(
        provider="zai",
        pattern=r"glm-5\.[2-9].*",
        thinking=BY_EFFORT_AND_BACK,
        source="docs.z.ai/guides/capabilities/thinking-mode",
    ),
    Row(
        provider="zai",
        pattern=r".*",
        thinking=BY_ITSELF_AND_BACK,
        source="docs.z.ai/guides/capabilities/thinking-mode",
    ),
    # thinks where it is told nothing, and then wants all of its thoughts back
    Row(
        provider="deepseek",
        pattern=r".*",
        thinking=BY_ITSELF_AND_BACK,
        source="api-docs.deepseek.com/guides/thinking_mode",
    ),
    Row(
        provider="minimax",
        pattern=r".*",
        thinking=BY_ITSELF_AND_BACK,
        source="platform.minimax.io/docs/guides/text-m2-function-call",
    ),
    # Mistral refuses thoughts of earlier turns in OpenAI's form (windmill-labs/windmill#9545)
    Row(
        provider="mistral",
        pattern=r"mistral-(?:medium|small)-.*",
        thinking=Thinking(asking=Asking.EFFORT, efforts=("high",)),
        source="windmill-labs/windmill#9545",
    ),
    Row(
        provider="mistral", pattern=r".*", thinking=BY_ITSELF, source="windmill-labs/windmill#9545"
    ),
    Row(
        provider="groq",
        pattern=r".*gpt-oss.*",
        thinking=BY_EFFORT,
        source="console.groq.com/docs/reasoning",
    ),
    Row(
        provider="groq", pattern=r".*", thinking=BY_ITSELF, source="console.groq.com/docs/reasoning"
    ),
    Row(
        provider="ollama",
        pattern=r".*",
        thinking=BY_EFFORT_AND_BACK,
        source="docs.ollama.com/capabilities/thinking",
    ),
    Row(
        provider="ollama_chat",
        pattern=r".*",
        thinking=BY_EFFORT_AND_BACK,
        source="docs.ollama.com/capabilities/thinking",
    ),
    Row(
        provider="hosted_vllm",
        pattern=r".*",
        thinking=BY_EFFORT_AND_BACK,
        source="docs.vllm.ai/en/latest/features/reasoning_outputs",
    ),
)


def thinking_of(provider: Provider, model_id: str) -> Thinking:
    """How a model is asked to think: its row's way, else that of its provider's API.

    That is `reasoning_effort` of OpenAI's chat completions, which LiteLLM writes where it knows
    that the provider takes it. Who has Anthropic's API gets thoughts back with their signatures, as
    that API demands, and is asked for nothing.
    """
    name = bare(model_id) if provider.name == BEDROCK else model_id
    for row in ROWS:
        if row.provider in ("", provider.name) and re.fullmatch(row.pattern, name):
            return row.thinking
    return BY_ITSELF_AND_BACK if provider.dialect is ApiDialect.ANTHROPIC else BY_EFFORT


def bare(model_id: str) -> str:
    """The model's own id, behind a region's prefix or in an ARN."""
    arn = read_arn(model_id)
    return split_prefix(arn.model_id if arn and arn.model_id else model_id)[1]


def nearest_effort(asked: str, taken: tuple[str, ...]) -> str:
    """The largest effort that is taken and not above the one that is asked, else the smallest."""
    most = EFFORTS.index(asked) if asked in EFFORTS else EFFORTS.index("high")
    allowed = [one for one in taken if EFFORTS.index(one) <= most]
    return allowed[-1] if allowed else taken[0]
