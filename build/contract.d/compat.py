"""Write the table of trials, openclaude/compat.json; nothing else writes it.

Knows: when a trial replaces another. Read by `openclaude.compatibility`.
"""

from __future__ import annotations

import json
from pathlib import Path

from openclaude.compatibility import Outcome, Trial, numbers, read_trials

SOURCE = Path(__file__).resolve().parents[2] / "openclaude/compat.json"


def note(trial: Trial, path: Path = SOURCE) -> None:
    """Put a trial into the table, in place of an earlier one of the same versions.

    A trial of the main job alone says less than one of all situations, and replaces it only if it
    failed.
    """
    trials = {
        (one.claude, one.litellm): one for one in (read_trials(path) if path.exists() else ())
    }
    before = trials.get((trial.claude, trial.litellm))
    is_less = before is not None and before.scope == "all" and trial.scope != "all"
    if is_less and trial.outcome is not Outcome.BROKEN:
        return
    trials[trial.claude, trial.litellm] = trial
    rows = sorted(
        trials.values(), key=lambda one: (numbers(one.litellm), numbers(one.claude)), reverse=True
    )
    lines = ",\n  ".join(json.dumps(row._asdict()) for row in rows)
    path.write_text(f'{{"trials": [\n  {lines}\n]}}\n', "utf-8")


def is_tried(claude: str, litellm: str) -> bool:
    """Tell whether the table has a trial of all situations with these versions."""
    return any(
        (one.claude, one.litellm, one.scope) == (claude, litellm, "all")
        for one in read_trials(SOURCE)
    )
