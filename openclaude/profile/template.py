"""The template: a new profile's text, with comments that say what can be written where.

Knows: how a profile is laid out. Refuses to know: files, which models there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from openclaude.profile.rendering import value_text


class Wanted(NamedTuple):
    """What a new profile is to say."""

    parent: str
    tiers: Mapping[str, str] = {}
    description: str = ""
    aws_profile: str = ""
    region: str = ""


def new_text(name: str, wanted: Wanted) -> str:
    """The text of the profile `name`; what is not wanted stands there as a comment."""
    return f"""\
# {name}: what openclaude runs claude on. Every value, and where it comes from:
#   openclaude profiles show {name}
schema = 1
{line("description", wanted.description, "one line for `openclaude profiles list`")}
extends = {value_text(wanted.parent)}   # whatever is not said here comes from this profile

# Which model stands behind which of claude's tiers: opus, sonnet, haiku, fable.
# A model is PROVIDER/ID, or "claude" for your own plan.
[tiers]
{tier_lines(wanted.tiers)}

# Tiers on AWS Bedrock: which profile of ~/.aws/config, which region.
[aws]
{line("profile", wanted.aws_profile, "openclaude")}
{line("region", wanted.region, "us-west-2")}
"""


def line(key: str, value: str, example: str) -> str:
    """One key, as a comment with an example where there is no value."""
    return f"{key} = {value_text(value)}" if value else f"# {key} = {value_text(example)}"


def tier_lines(tiers: Mapping[str, str]) -> str:
    """The tiers that are wanted, else one as a comment."""
    lines = [line(name, model, "") for name, model in tiers.items()]
    return "\n".join(lines) or line("haiku", "", "bedrock/qwen.qwen3-next-80b-a3b")
