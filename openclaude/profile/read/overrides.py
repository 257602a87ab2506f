"""The OPENCLAUDE_* variables that replace a key of the profile.

Knows: which variable stands for which key. Independent of: files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic_core import PydanticCustomError

from openclaude.errors import nearest
from openclaude.profile import values
from openclaude.profile.mistakes import BadOverride
from openclaude.profile.names import shorten
from openclaude.profile.read.merge import Leaf, Leaves
from openclaude.providers.regions import known_regions


def parse_port(text: str) -> int:
    """A port from a variable's text. Raises PydanticCustomError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise values.refusal(f'"{shorten(text)}" is not a port')
    return values.check_port(int(text))


def parse_region(text: str) -> str:
    """A region that AWS has. Raises PydanticCustomError."""
    if text not in known_regions():
        near = nearest(text, known_regions())
        raise values.refusal(
            f'no AWS region named "{shorten(text)}"',
            f"did you mean `{near}`?" if near else "",
        )
    return text


VARIABLES: tuple[tuple[str, tuple[str, str], Callable[[str], object]], ...] = (
    ("OPENCLAUDE_AWS_PROFILE", ("aws", "profile"), values.check_line),
    ("OPENCLAUDE_AWS_REGION", ("aws", "region"), parse_region),
    ("OPENCLAUDE_LITELLM_PORT", ("listen", "port"), parse_port),
)


def read_overrides(env: Mapping[str, str]) -> Leaves:
    """The values that variables set; an empty variable sets nothing."""
    return {
        key: Leaf(parse(variable, env[variable], check), None, variable=variable)
        for variable, key, check in VARIABLES
        if env.get(variable)
    }


def parse(variable: str, text: str, check: Callable[[str], object]) -> object:
    """The value of one variable, or an error that names it. Raises BadOverride."""
    try:
        return check(text)
    except PydanticCustomError as error:
        context = error.context or {}
        raise BadOverride(variable, context["message"], hint=context["hint"]) from error
