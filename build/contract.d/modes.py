"""The four ways in which a client is recorded, because its requests differ between them.

Knows: claude's variables and feature switches. Independent of: situations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# a feature switch and its default, as it is read in the program's text
GATE = re.compile(rb'"(tengu_[a-z0-9_]+)",!1\b')
# Switches that move the client's work elsewhere, so that nothing would be recorded
NOT_TURNED_ON = re.compile("kill|disable|_off$|block|force_update|outage|maintenance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to record."""

    name: str
    what: str
    environment: Mapping[str, str] = field(default_factory=dict)
    all_gates: bool = False  # all switches that are off by default are on
    main_job_only: bool = False  # not needed every day
    is_plain: bool = False  # claude without openclaude, at Anthropic's own host


MODES = (
    Mode(name="usual", what="normal traffic, gates as they are by default"),
    Mode(
        name="quiet",
        what="without traffic that is not needed",
        environment={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        main_job_only=True,
    ),
    Mode(name="gates", what="every gate on that is off by default", all_gates=True),
    Mode(name="host", what="plain claude at Anthropic's own host", is_plain=True),
)


def gates_off(claude: Path) -> tuple[str, ...]:
    """Return the feature switches of a client that are off by default."""
    return tuple(sorted({found.decode() for found in GATE.findall(claude.read_bytes())}))


def flags(gates: Iterable[str]) -> dict[str, dict[str, bool]]:
    """Return the client's state with these switched on; older clients name it differently."""
    turned_on = {gate: True for gate in gates if not NOT_TURNED_ON.search(gate)}
    return {"cachedFeatureFlags": turned_on, "cachedGrowthBookFeatures": turned_on}
