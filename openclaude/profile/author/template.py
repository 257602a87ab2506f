"""The template: a new profile's text, with comments that explain it.

Knows: how a profile is laid out. Independent of: files, which models there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from openclaude.profile.toml.render import value_text


class Wanted(NamedTuple):
    """The values of a new profile."""

    parent: str
    tiers: Mapping[str, str] = {}
    description: str = ""
    aws_profile: str = ""
    region: str = ""


def new_text(name: str, wanted: Wanted) -> str:
    """The text of the profile `name`; unset values are comments."""
    return f"""\
# {name}: the models behind claude's tiers. To see every value and its origin:
#   openclaude profiles show {name}
schema = 1
{line("description", wanted.description, "one line for `openclaude profiles list`")}
extends = {value_text(wanted.parent)}   # what is not set here comes from this profile

# The model for each of claude's tiers: opus, sonnet, haiku, fable.
# A model is PROVIDER/ID, or "claude" for your own plan.
[tiers]
{tier_lines(wanted.tiers)}

# For tiers on AWS Bedrock: the profile in ~/.aws/config, and the region.
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
