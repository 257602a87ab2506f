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

__all__ = [
    "anthropic",
    "anthropic_upstream",
    "around",
    "bedrock",
    "bedrock_upstream",
    "build_house",
    "canaries",
    "empty_house",
    "house",
    "machine",
    "mixed",
    "thinker",
    "thinker_upstream",
]
