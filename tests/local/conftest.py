"""The house and the stand-ins of the end-to-end tests."""

from tests.e2e.conftest import (
    anthropic,
    anthropic_upstream,
    around,
    bedrock_upstream,
    build_house,
    canaries,
    machine,
)

__all__ = [
    "anthropic",
    "anthropic_upstream",
    "around",
    "bedrock_upstream",
    "build_house",
    "canaries",
    "machine",
]
