"""What an instance has imported is ignored by the garbage collector, whose counters start anew."""

from __future__ import annotations

import json
import subprocess
import sys

LOOK = """
import gc
import json

from openclaude.run.worker.instance import freeze

kept = [[] for _ in range(400_000)]  # as an import of LiteLLM leaves
freeze()
before = gc.get_stats()[2]["collections"]
held = []
for number in range(600_000):
    held.append([held])
    if len(held) == 1000:
        held = []
print(json.dumps({
    "frozen": gc.get_freeze_count() > 400_000,
    "old garbage was looked at": gc.get_stats()[2]["collections"] > before,
}))
"""


def test_old_garbage_is_looked_at_whatever_was_imported() -> None:
    out = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True
    ).stdout

    assert json.loads(out) == {"frozen": True, "old garbage was looked at": True}
