"""Prompts that are too long: every provider's wording, and the numbers in it.

Knows: the wording, each with its source. Independent of: how the error is reported, which model it
is. Pure.

In the patterns, the group `tokens` is the number of tokens in the prompt, `window` the context
window, `answer` the tokens reserved for the answer, `over` the excess over the window; `size` and
`limit` are bytes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from openclaude.gateway.errors.overflow import Overflow, measured, numbers_in

NUMBER = r"(?P<{}>\d[\d,]{{0,12}}+)"
TOKENS, WINDOW, ANSWER, OVER, SIZE, LIMIT = (
    NUMBER.format(name) for name in ("tokens", "window", "answer", "over", "size", "limit")
)
PI = "earendil-works/pi packages/ai/src/utils/overflow.ts"


class Form(NamedTuple):
    """How one provider words it."""

    pattern: str
    source: str


# Patterns with numbers, tried before those without
FORMS = (
    Form(rf"{TOKENS} tokens > {WINDOW}", "Anthropic: API documentation, Errors"),
    Form(
        rf"exceed context limit:\s{{1,8}}{TOKENS} \+\s{{1,8}}{ANSWER}\s{{1,8}}> {WINDOW}",
        "Anthropic: anthropics/claude-code#228",
    ),
    Form(
        rf"token count \({TOKENS}\) exceeds .{{0,60}}\({WINDOW}\)",
        f"Gemini: {PI}",
    ),
    Form(
        rf"(?:maximum context length|context length) (?:of|is) (?:only )?{WINDOW} tokens"
        rf"[.,;]? (?:but|however),? you requested (?:about |a total of )?{TOKENS} tokens",
        "OpenAI, OpenRouter, DeepSeek: evalstate/fast-agent#621",
    ),
    Form(
        rf"maximum context length (?:of|is) {WINDOW} tokens"
        rf"[.,;]? (?:but|however),? your messages resulted in {TOKENS} tokens",
        "OpenAI: bytedance/deer-flow#310",
    ),
    Form(
        rf"maximum context length (?:of|is) {WINDOW} tokens[.,;]?"
        rf" You requested a total of {TOKENS} tokens",
        "SGLang: its tokenizer manager",
    ),
    Form(
        rf"is too large: {ANSWER}\. This model's maximum context length is {WINDOW} tokens"
        rf" and your request has {TOKENS} input tokens",
        "vLLM: canfieldjuan/finetunelab.ai MAX_TOKENS_CONTEXT_OVERFLOW_FIX.md",
    ),
    Form(
        rf"maximum context length is {WINDOW} tokens[.,;]?"
        rf" (?:but|however|and),? your (?:request|prompt) has {TOKENS} (?:input )?tokens",
        f"vLLM: {PI}",
    ),
    Form(
        rf"You passed {TOKENS} input tokens.{{0,160}}maximum input length of {WINDOW} tokens",
        "vLLM, newer: proxysoul/Empryo#52",
    ),
    Form(
        rf"length (?:of )?{TOKENS}\)? is longer than the maximum model length of {WINDOW}",
        "vLLM: xorbitsai/inference#3785, EleutherAI/lm-evaluation-harness#2880",
    ),
    Form(
        rf"\({TOKENS} tokens\)[^(]{{0,80}}(?:length|size|window) (?:of )?\({WINDOW}(?: tokens)?\)",
        f"llama.cpp, SGLang, Together: {PI}",
    ),
    Form(
        rf"maximum prompt length is {WINDOW} but the request contains {TOKENS}",
        f"xAI: {PI}",
    ),
    Form(
        rf"token count of {TOKENS} exceeds the limit of {WINDOW}",
        "GitHub Copilot: ericc-ch/copilot-api#210",
    ),
    Form(
        rf"exceeded model token limit:? ?{WINDOW} \(requested: ?{TOKENS}\)",
        f"Kimi: {PI}",
    ),
    Form(
        rf"Prompt contains {TOKENS} tokens.{{0,100}}model with {WINDOW} maximum",
        f"Mistral: {PI}",
    ),
    Form(
        rf"Input length {TOKENS} exceeds the maximum allowed input length of {WINDOW}",
        "Poolside: earendil-works/pi#4943",
    ),
    Form(
        rf"Current length is {TOKENS} while limit is {WINDOW}",
        "Cerebras: cline/cline#5140",
    ),
    Form(
        rf"Prompt too long: {TOKENS} tokens exceeds max context window of {WINDOW}",
        "omlx: jundot/omlx#26",
    ),
    Form(
        rf"keep the first {TOKENS} tokens.{{0,120}}length of only {WINDOW} tokens",
        "LM Studio: lmstudio-ai/lmstudio-bug-tracker#546",
    ),
    Form(
        rf"greater than the context length \(n_keep: {TOKENS} ?>= n_ctx: {WINDOW}\)",
        "LM Studio: Gitlawb/openclaude#353",
    ),
    Form(
        rf"requires a sequence length of {TOKENS}.{{0,80}}sequence length is just {WINDOW}",
        "SambaNova: earendil-works/pi#5930",
    ),
    Form(
        rf"must be <= {WINDOW}\. Given: {TOKENS} `inputs` tokens and {ANSWER}",
        "Hugging Face TGI: huggingface/chat-ui#340",
    ),
    Form(
        rf"number of tokens .{{0,40}}cannot exceed {WINDOW} - received {TOKENS}",
        "Cohere: cohere-ai/sandbox-topically#4",
    ),
    Form(
        rf"exceed(?:s|ed|ing)? (?:the )?(?:max(?:imum)? )?context length by {OVER} tokens",
        "Ollama: earendil-works/pi#5930",
    ),
    Form(
        rf"max_tokens must be at least 1, got -{OVER}",
        "gpt-oss on Bedrock, vLLM: earendil-works/pi#5930",
    ),
    Form(
        rf"total message size {SIZE} exceeds limit {LIMIT}",
        "Kimi for Coding: MoonshotAI/kimi-code#476",
    ),
    Form(
        rf"String value length \({SIZE}\) exceeds the maximum allowed \({LIMIT}",
        "DashScope: QwenLM/qwen-code#1082",
    ),
    Form(
        rf"Range of input length should be \[\d{{1,9}}, ?{WINDOW}\]",
        f"DashScope: {PI}",
    ),
    Form(
        rf"Request body too large for .{{1,80}} model\. Max size: {WINDOW} tokens",
        "Azure AI, GitHub Models: earendil-works/pi#5930",
    ),
    Form(
        rf"input token count is {TOKENS} but (?:the )?model only supports up to {WINDOW}",
        "Vertex AI: google-gemini/gemini-cli#19727",
    ),
    Form(
        rf"maximum context length is {WINDOW} tokens.{{0,160}}for a total of at least {TOKENS}",
        "vLLM, newer; Cloudflare Workers AI: cloudflare/cloudflare-docs#29731",
    ),
    Form(
        rf"prompt \(total length {TOKENS}\) is too long to fit .{{0,40}}context length {WINDOW}",
        "vLLM: vllm-project/vllm#12165",
    ),
    Form(
        rf"Requested tokens \({TOKENS}\) exceed context window of {WINDOW}",
        "llama-cpp-python: run-llama/llama_index#8046",
    ),
    Form(
        rf"prompt is too long: {TOKENS} model maximum context length: {WINDOW}",
        "Fireworks: fw-ai/cookbook#134",
    ),
    Form(
        rf"Prompt length \({TOKENS}\) exceeds maximum (?:input|sequence) length \({WINDOW}\)",
        "TensorRT-LLM: triton-inference-server/tensorrtllm_backend#565",
    ),
    Form(
        rf"must have less than {WINDOW} tokens\. Given: {TOKENS}",
        "Hugging Face TGI: huggingface/text-generation-inference#695",
    ),
    Form(
        rf"Input length {TOKENS} exceeds the maximum length {WINDOW}",
        "Volcengine Ark: esengine/DeepSeek-Reasonix#9696",
    ),
    Form(
        rf"Maximum request body size {LIMIT} exceeded, actual body size {SIZE}",
        "google-gemini/gemini-cli#13776",
    ),
    Form(
        rf"exceed the configured limit of {WINDOW} tokens\. Your messages resulted in {TOKENS}",
        "OpenAI, GPT-5: cline/cline#5474",
    ),
    Form(
        rf"(?:prompt|input) tokens? limit exceeded: {TOKENS} > {WINDOW}",
        "OpenRouter, an account without credit: continuedev/continue#10962",
    ),
    Form(
        # of the whole prompt, and not of a tool's description or one message
        r"(?:input request|#/(?:prompt|inputText)): expected maxLength: (?P<limit>\d{5,9}),"
        r" actual: (?P<size>\d{5,9})",
        "Bedrock: ScrapeGraphAI/Scrapegraph-ai#400",
    ),
    # Patterns without numbers
    Form(r"tokens of image and text exceed", "Volcengine Ark: bytedance/deer-flow#583"),
    Form(
        r"Request payload size exceeds the limit",
        "Gemini: google-gemini/deprecated-generative-ai-android#26",
    ),
    Form(
        r"(?:prompt|input|request|conversation|context) (?:is|was) too long", "Anthropic, Bedrock"
    ),
    Form(r"(?:prompt|input) too long", f"Ollama: {PI}"),
    Form(r"too many input tokens|Input Tokens Exceeded", "Nova on Bedrock: earendil-works/pi#5930"),
    Form(
        r"(?:input|prompt) (?:tokens?|length) .{0,40}exceed"
        r"|(?:prompt|input|inputs) exceeds? (?:the )?(?:max|model|length|context|token)",
        "Nova; GLM, code 1261; Ollama: earendil-works/pi#5930",
    ),
    Form(
        r"(?:exceed(?:s|ed|ing)?|(?:larger|longer|greater|bigger|more) than|beyond|over)"
        r" (?:the |this |its )?(?:model(?:'s)? )?(?:max(?:imum)? |available |configured )?"
        r"(?:context|input token)[ _](?:length|window|size|limit)",
        f"OpenAI, llama.cpp, LM Studio, LiteLLM: {PI}",
    ),
    Form(
        r"context[ _](?:length|window|size|limit)[ _](?:has been |was |is |would be )?exceed",
        f"OpenAI, MiniMax, z.ai, llama.cpp: {PI}",
    ),
    Form(r"exceeds the maximum number of tokens allowed", f"Gemini: {PI}"),
    Form(r"maximum (?:context|prompt) length is \d", f"OpenRouter: {PI}"),
    Form(r"tokens in request more than max tokens allowed", "z.ai: Gitlawb/openclaude#936"),
    Form(r"reduce the length of (?:the|your) (?:messages|prompt|input)", f"Groq: {PI}"),
    Form(r"too large for model with \d|exceeded model token limit", f"Mistral, Kimi: {PI}"),
    Form(
        r"context overflow|prompt exceeds the length limit", "None9527/NGOClaw overflow_detect.go"
    ),
)
COMPILED = tuple(re.compile(form.pattern, re.IGNORECASE | re.DOTALL) for form in FORMS)
# The error codes that come with the message
MARKS = frozenset(
    {
        *("context_length_exceeded", "exceed_context_size_error"),
        *("model_context_window_exceeded", "model_max_prompt_tokens_exceeded", "request_too_large"),
        *("tokens_limit_reached", "input_too_long", "context_window_exceeded", "1261"),
    }
)
# Similar messages: a limit that is temporary or permanent; an id that is too long, which LiteLLM
# takes for a long prompt (AnswerDotAI/fastllm#45)
ANOTHER = re.compile(
    r"per[ -](?:minute|min|hour|day|second)|rate.?limit|\bTP[MD]\b|too many requests"
    r"|string too long.{0,60}maximum length \d{1,5}\b",
    re.IGNORECASE,
)


def is_another(text: str) -> bool:
    """Tell whether an error is about something else and only shares some of the wording."""
    return bool(ANOTHER.search(text))


def overflow_in(text: str) -> Overflow | None:
    """Parse a message about a prompt that is too long; None if it is about something else."""
    if is_another(text):
        return None
    for pattern in COMPILED:
        if found := pattern.search(text):
            said = found.groupdict()
            return measured(said) if said else numbers_in(text)
    return None


# What nearly every provider says, in some order: what is meant, that it is too much, and of what
MEANT = re.compile(
    r"prompt|\binputs?\b|conversation|\bcontext|\bmessages?\b|\brequest|\bsequence"
    "|\u8f93\u5165|\u4e0a\u4e0b\u6587",
    re.IGNORECASE,
)
TOO_MUCH = re.compile(
    r"exceed|overflow|too (?:long|large|big|many)|(?:long|larg|great|bigg|small|short)er than"
    r"|(?:more|less|fewer) than|no more than|at most|only supports|limit reached|limit is \d"
    r"|maximum (?:input|prompt|context|sequence) length|\d\)? ?>=? ?\(?\d"
    "|\u8d85\u8fc7|\u8d85\u51fa|\u8fc7\u957f",
    re.IGNORECASE,
)
MEASURE = re.compile(
    r"(?<![a-z])tokens?(?![a-z])|_tokens\b|\bcontext|max_(?:model|seq|input|total)_|sequence length"
    r"|(?:prompt|input|messages?|conversation|request)s? (?:is |are )?(?:too|length|size|exceed)"
    "|\u957f\u5ea6|\u8fc7\u957f",
    re.IGNORECASE,
)
# What is meant for certain, and what is something else
WINDOW_ITSELF = re.compile(
    r"context (?:length|window|size|limit)|model(?:'s)? context"
    r"|(?:prompt|input)[ _](?:token|length)"
    r"|too many tokens|\btokens? limit exceeded"
    r"|(?:input|prompt|messages?)\b[^.]{0,60}(?:\+|\bplus\b)[^.]{0,30}max_\w{0,11}tokens"
    r"|(?:input|prompt|messages?)(?: length| tokens?)? and [`\"']?max_\w{0,11}tokens"
    r"|\b(?:sum|total|combined)\b[^.]{0,80}max_\w{0,11}tokens",
    re.IGNORECASE,
)
PART = re.compile(
    r"output|completion|max_(?:completion_|output_|new_)?tokens|maximum tokens|generat",
    re.IGNORECASE,
)
ELSE = re.compile(
    r"image|picture|video|audio|document|\bfiles?\b|\bpages?\b|\bids?\b|_id\b|\bnames?\b"
    r"|\btools?\b|function|schema|array|string|propert|header|\burl|\bstop|embedding|batch|quota"
    r"|second|minute|\bhour|\bday|\bkeys?\b|attempts|redirect|concurren|\brate"
    r"|deadline|time.?out|nest(?:ed|ing)|depth|\blevels?\b",
    re.IGNORECASE,
)
# A limit of the answer, which is compared with that of everything
ANSWER_ITSELF = re.compile(
    r"max_(?:\w{1,11}_)?tokens\W{0,3} (?:must|should|cannot|can't|may not|has to)", re.IGNORECASE
)


def likely_overflow(text: str) -> Overflow | None:
    """Return an overflow that is said in unknown words; None if it may be about something else."""
    if is_another(text) or ELSE.search(text) or not TOO_MUCH.search(text):
        return None
    if ANSWER_ITSELF.search(text):
        return None
    is_certain = WINDOW_ITSELF.search(text) is not None
    is_likely = MEANT.search(text) and MEASURE.search(text) and not PART.search(text)
    if not (is_certain or is_likely):
        return None
    return numbers_in(text)
