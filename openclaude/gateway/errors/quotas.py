"""Limits that retrying cannot get past, so that claude need not retry eleven times.

Knows: how providers word an account without credit and a limit of a day or longer, each with its
source. Independent of: how the error is reported. Pure.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple


class Quota(Enum):
    """Which limit was reached."""

    MONEY = "money"
    PERIOD = "period"  # a limit over hours, days or more
    SIZE = "size"  # one request exceeds the limit per minute


class QuotaForm(NamedTuple):
    """How one provider words it."""

    quota: Quota
    pattern: str
    source: str


# Only these statuses can be about a limit; a 400 only if it is about credit. A 503 also stands for
# an error document under a 200, which has no status of its own
MONEY_STATUSES = frozenset({400, 403, 412, 413, 429, 503})
LIMIT_STATUSES = frozenset({403, 413, 429, 503})
# A 500 is otherwise a fault of theirs that passes, whatever words are in it
MONEY_AT_500 = re.compile(
    r"insufficient[ _](?:account[ _])?(?:balance|credits?|quota)\b|billing_not_active",
    re.IGNORECASE,
)

QUOTAS = (
    QuotaForm(
        Quota.MONEY,
        r"insufficient[ _](?:account )?(?:balance|funds?|credits?|quota)"
        r"|(?:balance|credits?|funds) (?:is |are |has been |have been )?"
        r"(?:insufficient|exhausted|depleted|not enough|too low|used up)",
        "OpenAI, DeepSeek: Gitlawb/openclaude#936; Kimi: anomalyco/opencode#24462",
    ),
    QuotaForm(
        Quota.MONEY,
        r"in arrears|arrearage|\boverdue\b|\brecharge\b|\btop[ -]?up\b|out of credits?"
        r"|payment required|good standing|\u4f59\u989d\u4e0d\u8db3|\u6b20\u8d39|\u5145\u503c",
        "GLM, code 1113: Gitlawb/openclaude#936; DashScope: tencentmusic/supersonic#1572",
    ),
    QuotaForm(
        Quota.MONEY,
        r"used all available credits|(?:spending|billing|credit)(?: hard)? (?:limit|cap)\b",
        "xAI: continuedev/continue#10373, warpdotdev/warp#14863; Fireworks, with a 412: "
        "pollinations/pollinations#12136",
    ),
    QuotaForm(
        Quota.MONEY,
        r"account is not active|billing_not_active",
        "OpenAI: BerriAI/litellm#2743",
    ),
    QuotaForm(
        Quota.MONEY,
        r"payment is past due|update your payment method",
        "Ollama: continuedev/continue#13195",
    ),
    QuotaForm(
        Quota.MONEY,
        r"reached your specified API usage limits",
        "Anthropic's own API, with a 400: anthropics/claude-code#38035",
    ),
    QuotaForm(
        Quota.MONEY,
        r"free tier of the model has been exhausted|FreeTierOnly",
        "DashScope: APIParkLab/APIPark#394",
    ),
    QuotaForm(Quota.MONEY, "exceeded_current_quota_error", "Kimi: MoonshotAI/Kimi-K2#5"),
    QuotaForm(
        Quota.PERIOD,
        r"(?:per|a|each)[ -](?:day|week|month)|Per(?:Day|Week|Month)"
        r"|\b(?:daily|weekly|monthly)\b|\b(?:RPD|TPD)\b",
        "Bedrock: UKGovernmentBEIS/inspect_ai#5526; OpenRouter, Groq: decolua/9router; "
        "Gemini's quotaId: google-gemini/gemini-cli#8437",
    ),
    QuotaForm(
        Quota.PERIOD,
        r"usage limit|limit will reset at|premium requests|\u4f7f\u7528\u4e0a\u9650",
        "GLM, codes 1308 and 1310: hugalafutro/model-hotel#955, dirge-code/dirge#818",
    ),
    QuotaForm(
        Quota.PERIOD,
        r"(?:resets?|try again|retry) (?:in|after) (?:about )?"
        r"\d{1,3} ?(?:h|hours?|d|days?)(?![a-z])",
        "Gemini: google-gemini/gemini-cli#13004",
    ),
    QuotaForm(
        Quota.PERIOD,
        r"\bresets? at:? \d{4}-\d\d-\d\d",
        "GLM, code 1316: LionSR/TeXRA#9865",
    ),
    QuotaForm(Quota.PERIOD, r"\blimit: 0\b", "Gemini: continuedev/continue#10062"),
)
COMPILED = tuple((form.quota, re.compile(form.pattern, re.IGNORECASE)) for form in QUOTAS)
# OpenAI's wording for no credit left, which Gemini uses for every limit, even one per minute
OPENAI = re.compile(r"exceeded your current quota", re.IGNORECASE)
PASSES = re.compile(r"retry in|try again in|per[ -]?min|PerMinute", re.IGNORECASE)
ASKED = re.compile(r"Limit:? (?P<limit>\d{1,12}+).{0,40}?Requested:? (?P<size>\d{1,12}+)", re.I)


def quota_in(status: int, text: str, marks: frozenset[str]) -> Quota | None:
    """Return which limit an error is about, by status, wording, codes; None if a retry may help."""
    said = "\n".join([text, *sorted(marks)])
    if status == 500:
        return Quota.MONEY if MONEY_AT_500.search(said) else None
    if status not in MONEY_STATUSES:
        return None
    for quota, pattern in COMPILED:
        if (quota is Quota.MONEY or status in LIMIT_STATUSES) and pattern.search(said):
            return quota
    if OPENAI.search(text) and not PASSES.search(said):
        return Quota.MONEY
    asked = ASKED.search(text) if status in LIMIT_STATUSES else None
    return Quota.SIZE if asked and int(asked["size"]) > int(asked["limit"]) else None
