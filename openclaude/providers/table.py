"""Providers: everything that is known of each, one row a provider.

Knows: how a provider is reached, what LiteLLM makes of its name, what it can take, what else is odd
about it. Independent of: single models, which are the catalogue's; what is done about a quirk.
Light: nothing but the standard library and the contracts.

A provider of LiteLLM's without a row here is one whose key is in NAME_API_KEY, which LiteLLM finds
by itself, and which takes what any OpenAI-like one takes. Every quirk below was measured with
LiteLLM 1.106.2 against stand-ins, one request for each of its providers, unless its row names
another source; none was seen at a provider itself. Which of them LiteLLM chats with, in which
dialect, and whose `max_retries` it keeps is tested with the pinned version. Keys with another name
were read in LiteLLM's `llms/openai_like/providers.json` and
`litellm_core_utils/get_llm_provider_logic.py`.
"""

from __future__ import annotations

from enum import StrEnum

from openclaude.contracts.capabilities import Capabilities
from openclaude.contracts.record import Record
from openclaude.contracts.references import (
    BEDROCK,
    CONVERSE,
    INVOKE,
    SecretRef,
    parse_secret,
    variable_ref,
)

ANTHROPIC = "anthropic"


class ApiDialect(StrEnum):
    """The language in which LiteLLM asks a provider."""

    OPENAI = "openai"  # chat completions
    ANTHROPIC = "anthropic"  # messages: the body arrives as it was sent
    CONVERSE = "converse"  # Bedrock's
    GEMINI = "gemini"
    OLLAMA = "ollama"


# What a provider takes of which nothing else is known
USUAL = Capabilities(
    supports_pdf_input=False, takes_cache_marks=False, wants_strings=True, max_call_id=40
)
# OpenAI takes no more tools (reported: zed-industries/zed#32946, opencode#4909), and so does who
# passes a request on to it or is as strict
OPENAI = USUAL._replace(max_tools=128)
# Google's languages for tools: a subset of OpenAPI's schemas (its API reference), not as deep as
# LiteLLM walks them (reported: google/adk-python#4531), and it finds repeated beginnings by itself
GOOGLE_TAKES = Capabilities(
    takes_cache_marks=False, takes_full_schema=False, max_schema_depth=20, max_tools=128
)
# Kimi loses count of calls whose ids are not its own (its guide to tool calls: vllm-project/vllm
# and MoonshotAI/Kimi-K2 say to write them so)
KIMI = USUAL._replace(wants_kimi_ids=True)
# Few of those that speak Anthropic's language know how it asks for a formatted answer
THIRD_PARTY = Capabilities(supports_pdf_input=False, supports_json_schema=False)


class Provider(Record):
    """One of LiteLLM's providers, by the prefix of its models."""

    name: str
    title: str = ""  # what it is, for the documentation's table; "" keeps it out of there
    dialect: ApiDialect = ApiDialect.OPENAI
    # how it is reached
    key: str | None = None  # the variable its key is in by custom, if not NAME_API_KEY; "" for none
    base: str = ""  # where it is, where a profile does not say; "" for LiteLLM's own address
    needs_base: bool = False  # there is no address that could be guessed
    needs_key: bool = True
    params: tuple[str, ...] = ()  # of `params`, those it cannot do without
    inherits: tuple[str, ...] = ()  # variables of the user's that its credentials are found with
    is_local: bool = False  # runs on the user's machine: windows and tools are as the user set them
    unusable: str = ""  # why it cannot serve a tier, and after `; ` what to do
    # what LiteLLM makes of it
    prefix: str = ""  # LiteLLM's way to its models, where it is not `name/`
    claude_prefix: str = ""  # LiteLLM's way to its Claude models, with Anthropic's own body
    map_name: str = ""  # the provider under which LiteLLM's map has its models, where another
    serves_chats: bool = True
    drops_max_retries: bool = False  # LiteLLM loses the parameter; elsewhere it arrives
    takes: Capabilities = USUAL  # what it can take; `speaks_anthropic` follows from the dialect

    @property
    def key_variable(self) -> str:
        """The variable its key is in, where a profile names no other; "" for no key."""
        if self.key is not None:
            return self.key
        return f"{self.name.upper().replace('-', '_')}_API_KEY"

    @property
    def litellm_prefix(self) -> str:
        """What LiteLLM writes in front of the provider's models."""
        return self.prefix or f"{self.name}/"

    @property
    def models_of(self) -> str:
        """The provider under whose name LiteLLM's map has the models."""
        return self.map_name or self.name


# Where AWS profiles are, and what a `credential_process` needs to run. No key, no token.
AWS = (
    *("HOME", "PATH", "USER", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE"),
    # and which addresses of AWS's a company wants to be asked
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL_STS"),
    *("AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_STS_REGIONAL_ENDPOINTS"),
    *("AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"),
)
# What Vertex needs to find Google's default credentials
GOOGLE = ("HOME", "PATH", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG")
VLLM = "runs the model inside LiteLLM; for your own server write `hosted_vllm/MODEL`"
LOGIN = "asks for a login in the middle of a session; use a provider with a key"
OTHER_KEYS = "is not supported: it needs more than a key and an address"
FOR_TEXT = "is for text completion; write `{}/MODEL`"


SHOWN = (
    Provider(
        name=BEDROCK,
        title="AWS Bedrock; the credentials of `aws.profile`",
        dialect=ApiDialect.CONVERSE,
        prefix=f"{BEDROCK}/{CONVERSE}/",
        claude_prefix=f"{BEDROCK}/{INVOKE}/",
        key="",
        needs_key=False,
        inherits=AWS,
        takes=Capabilities(),
    ),
    Provider(
        name="openai",
        title="OpenAI; with `api_base` any compatible server",
        needs_key=False,
        takes=OPENAI,
    ),
    Provider(
        name="gemini",
        title="Google's Gemini API",
        dialect=ApiDialect.GEMINI,
        takes=GOOGLE_TAKES,
    ),
    Provider(name="openrouter", title="OpenRouter", takes=OPENAI),
    Provider(
        name="deepseek",
        title="DeepSeek",
        dialect=ApiDialect.ANTHROPIC,
        # reported for V3.2 and later; it can be told not to think
        takes=THIRD_PARTY._replace(requires_reasoning_echo=True),
    ),
    Provider(name="moonshot", title="Moonshot AI (Kimi)", takes=KIMI),
    Provider(
        name="zai",
        title="Z.ai (GLM)",
        drops_max_retries=True,
        takes=USUAL._replace(supports_json_schema=False),
    ),
    Provider(name="groq", title="Groq", takes=OPENAI),
    Provider(
        name="azure",
        title="Azure OpenAI; MODEL is your deployment",
        key="",
        needs_base=True,
        takes=OPENAI,
    ),
    Provider(
        name="vertex_ai",
        title="Google Vertex AI; Google's default credentials",
        dialect=ApiDialect.GEMINI,
        key="",
        needs_key=False,
        params=("vertex_project", "vertex_location"),
        inherits=GOOGLE,
        takes=GOOGLE_TAKES,
    ),
    Provider(
        name="ollama",
        title="Ollama",
        dialect=ApiDialect.OLLAMA,
        # `ollama/` would describe the tools in the prompt
        prefix="ollama_chat/",
        key="",
        base="http://127.0.0.1:11434",
        needs_key=False,
        is_local=True,
    ),
    Provider(
        name="hosted_vllm",
        title="vLLM and other OpenAI-compatible servers",
        key="",
        needs_base=True,
        needs_key=False,
        is_local=True,
    ),
    Provider(
        name="lm_studio",
        title="LM Studio",
        key="",
        base="http://127.0.0.1:1234/v1",
        needs_key=False,
        is_local=True,
    ),
    # never Anthropic itself
    Provider(
        name=ANTHROPIC,
        title="a third party with Anthropic's API",
        dialect=ApiDialect.ANTHROPIC,
        key="",
        needs_base=True,
        # Anthropic's API wants thoughts back where it was asked for them, and claude gets none
        takes=THIRD_PARTY._replace(supports_pdf_input=True, supports_reasoning=False),
    ),
)
OTHERS = (
    Provider(name="ai21", drops_max_retries=True),
    Provider(name="ai21_chat", map_name="ai21", key="AI21_API_KEY", drops_max_retries=True),
    Provider(name="amazon_nova", takes=USUAL._replace(supports_json_schema=False)),
    Provider(name="apertis", key="STIMA_API_KEY"),
    Provider(name="azure_text", unusable=FOR_TEXT.format("azure")),
    Provider(name="baseten", drops_max_retries=True),
    Provider(name="chatgpt", unusable=LOGIN),
    Provider(
        name="codestral", drops_max_retries=True, takes=USUAL._replace(wants_nine_letters=True)
    ),
    Provider(name="cohere", map_name="cohere_chat"),
    Provider(name="cortecs", dialect=ApiDialect.ANTHROPIC, takes=THIRD_PARTY),
    Provider(name="custom_openai", key="", needs_base=True, needs_key=False),
    Provider(name="deepinfra", drops_max_retries=True),
    Provider(
        name="docker_model_runner", is_local=True, takes=USUAL._replace(supports_vision=False)
    ),
    Provider(name="edenai", dialect=ApiDialect.ANTHROPIC, takes=THIRD_PARTY),
    Provider(
        name="featherless_ai",
        drops_max_retries=True,
        takes=USUAL._replace(supports_json_schema=False),
    ),
    Provider(name="gdc", params=("vertex_project",)),
    Provider(name="github_copilot", unusable=LOGIN),
    Provider(name="heroku", takes=USUAL._replace(supports_vision=False)),
    Provider(name="hyperbolic", drops_max_retries=True),
    Provider(name="inception", drops_max_retries=True),
    Provider(name="lambda_ai", key="LAMBDA_API_KEY"),
    Provider(name="lemonade", is_local=True),
    Provider(
        name="llamafile", key="", base="http://127.0.0.1:8080/v1", needs_key=False, is_local=True
    ),
    Provider(name="maritalk", takes=USUAL._replace(supports_json_schema=False)),
    Provider(name="meta", dialect=ApiDialect.ANTHROPIC, takes=THIRD_PARTY),
    Provider(name="meta_llama", key="LLAMA_API_KEY"),
    Provider(name="minimax", dialect=ApiDialect.ANTHROPIC, takes=THIRD_PARTY),
    Provider(
        name="morph", drops_max_retries=True, takes=USUAL._replace(supports_json_schema=False)
    ),
    Provider(name="mistral", takes=USUAL._replace(wants_nine_letters=True)),
    Provider(name="nano-gpt", key="NANOGPT_API_KEY"),
    Provider(name="nscale", drops_max_retries=True),
    Provider(name="nvidia_nim", drops_max_retries=True),
    Provider(name="oci", unusable=OTHER_KEYS),
    Provider(
        name="ollama_chat",
        dialect=ApiDialect.OLLAMA,
        key="",
        base="http://127.0.0.1:11434",
        needs_key=False,
        is_local=True,
        map_name="ollama",
    ),
    Provider(name="oobabooga", is_local=True),
    # `openai_like/` knows no /v1/messages
    Provider(
        name="openai_like",
        prefix="openai/",
        key="",
        needs_base=True,
        needs_key=False,
        takes=OPENAI,
    ),
    Provider(name="predibase", unusable=OTHER_KEYS),
    Provider(name="prism", dialect=ApiDialect.ANTHROPIC, takes=THIRD_PARTY),
    Provider(name="publicai", takes=USUAL._replace(supports_vision=False)),
    Provider(name="sagemaker_chat", map_name="sagemaker"),
    Provider(name="sail", dialect=ApiDialect.ANTHROPIC, takes=THIRD_PARTY),
    Provider(name="sambanova", drops_max_retries=True, takes=USUAL._replace(supports_vision=False)),
    Provider(name="sap", unusable=OTHER_KEYS),
    # its models are called classify, compress, decisions, extract and summarize (1.108.14)
    Provider(name="scaledown", unusable="has no chat models; use another provider"),
    Provider(name="scaleway", key="SCW_SECRET_KEY"),
    Provider(name="scx-ai", key="SCX_API_KEY"),
    Provider(name="snowflake", takes=USUAL._replace(supports_json_schema=False)),
    Provider(name="tencent", dialect=ApiDialect.ANTHROPIC, takes=THIRD_PARTY),
    Provider(name="tensormesh", key="TENSORMESH_INFERENCE_API_KEY"),
    Provider(name="text-completion-codestral", unusable=FOR_TEXT.format("codestral")),
    Provider(name="text-completion-inception", unusable=FOR_TEXT.format("inception")),
    Provider(name="text-completion-openai", unusable=FOR_TEXT.format("openai")),
    Provider(name="together_ai", key="TOGETHERAI_API_KEY"),
    Provider(name="v0", drops_max_retries=True, takes=USUAL._replace(supports_json_schema=False)),
    Provider(name="veniceai", key="VENICE_AI_API_KEY"),
    Provider(
        name="vertex_ai_beta",
        dialect=ApiDialect.GEMINI,
        map_name="vertex_ai",
        takes=GOOGLE_TAKES,
    ),
    Provider(name="vllm", is_local=True, unusable=VLLM),
    Provider(name="volcengine", takes=USUAL._replace(supports_json_schema=False)),
    Provider(name="watsonx", unusable=OTHER_KEYS),
    Provider(name="watsonx_text", map_name="watsonx"),
)
# In LiteLLM's enumeration, and a chat with them is refused as "Unmapped LLM provider" (1.108.14)
NO_CHATS = (
    *("a2a_agent", "auto_router", "aws_polly", "aws_textract", "azure_speech", "bespoke"),
    *("black_forest_labs", "cursor", "deepgram", "dotprompt", "elevenlabs", "humanloop"),
    *("infinity", "jina_ai", "langfuse", "laya", "litellm_agent", "manus", "milvus", "mongodb"),
    *("nvidia_riva", "pg_vector", "recraft", "reducto", "runwayml", "s3_vectors", "soniox"),
    *("stability", "strands_decider", "topaz", "transcribe", "typesafe", "valkey", "voyage"),
)
PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        *SHOWN,
        *OTHERS,
        *(Provider(name=name, serves_chats=False) for name in NO_CHATS),
    )
}


def find_provider(name: str) -> Provider:
    """The provider whose models begin with `name/`."""
    return PROVIDERS.get(name) or Provider(name=name)


def key_reference(name: str, api_key: str | None, api_base: str | None) -> SecretRef | None:
    """Where a provider's key is: what the profile says, else its own variable; None for no key.

    A key by custom goes to the provider's own address only: whoever names another names the key.
    """
    if api_key:
        return parse_secret(api_key)
    variable = find_provider(name).key_variable
    return None if api_base or not variable else variable_ref(variable)
