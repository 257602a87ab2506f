"""Bedrock's ids: cross-region inference profiles and ARNs.

Knows: how AWS names them, and which prefix belongs to which regions. Independent of: the map.
None of it was verified with an AWS account.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from openclaude.contracts.references import CLAUDE_AT_BEDROCK

GLOBAL = "global"
# By AWS's usual rule these are offered through cross-region inference profiles only, although the
# map lists their bare ids too.
USUALLY_PREFIXED = (
    "amazon.nova-2",
    "amazon.nova-premier",
    CLAUDE_AT_BEDROCK,
    "deepseek.r1",
    "meta.llama4",
)
# A cross-region inference profile: `us.MODEL` is MODEL, served from several regions.
PREFIXED = re.compile(r"(global|us|us-gov|eu|apac|jp|au|in|ca|sa|me|af)\.(.+)")
ARN = re.compile(
    r"arn:aws[a-z-]*:bedrock:(?P<region>[a-z0-9-]*):[0-9]*:(?P<kind>[a-z-]+)/(?P<name>.+)"
)
KINDS_WITH_A_MODEL = ("inference-profile", "foundation-model")
# The beginning of a region's name, and the prefixes that can be used there, the narrowest first.
# A region that is not here may use prefixes that only AWS knows.
PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("us-gov-", ("us-gov",)),
    ("us-", ("us",)),
    ("eu-", ("eu",)),
    ("ap-northeast-", ("jp", "apac")),
    ("ap-southeast-", ("au", "apac")),
    ("ap-south-", ("in", "apac")),
    ("ap-", ("apac",)),
)


class Arn(NamedTuple):
    """What an ARN of Bedrock says."""

    region: str
    model_id: str  # "" where it names no model


def read_arn(text: str) -> Arn | None:
    """The region and the model of an ARN, or None if it is not an ARN of Bedrock's."""
    match = ARN.fullmatch(text)
    if match is None:
        return None
    return Arn(match["region"], match["name"] if match["kind"] in KINDS_WITH_A_MODEL else "")


def is_arn(model_id: str) -> bool:
    """Whether an id is an ARN, well-formed or not."""
    return model_id.startswith("arn:")


def split_prefix(model_id: str) -> tuple[str, str]:
    """The prefix of a cross-region id and the model behind it; "" for a bare id."""
    match = PREFIXED.fullmatch(model_id)
    return (match[1], match[2]) if match else ("", model_id)


def prefixes_of(region: str) -> tuple[str, ...]:
    """The prefixes that can be used in a region, without `global`; none where that is unknown."""
    return next((prefixes for start, prefixes in PLACES if region.startswith(start)), ())


def choose_id(ids: tuple[str, ...], region: str) -> str:
    """Of a model's cross-region ids the one for a region: its own prefix's, else the global one."""
    by_prefix = {split_prefix(one)[0]: one for one in ids}
    allowed = (*prefixes_of(region), GLOBAL)
    return next((by_prefix[prefix] for prefix in allowed if prefix in by_prefix), "")
