"""The house and the stand-ins of the end-to-end tests, for what takes minutes."""

from tests.e2e.conftest import (
    anthropic,
    anthropic_upstream,
    around,
    bedrock,
    bedrock_upstream,
    build_house,
    canaries,
    empty_house,
    house,
    machine,
    mixed,
    thinker,
    thinker_upstream,
)
from tests.process.conftest import compiled, empty_world, method, plan, port, world

__all__ = [
    "anthropic",
    "anthropic_upstream",
    "around",
    "bedrock",
    "bedrock_upstream",
    "build_house",
    "canaries",
    "compiled",
    "empty_house",
    "empty_world",
    "house",
    "machine",
    "method",
    "mixed",
    "plan",
    "port",
    "thinker",
    "thinker_upstream",
    "world",
]
