"""A long session of the real claude without a terminal: one line in, one line out.

Knows: claude's stream-json mode. Independent of: what is asked.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import Queue
from typing import Any

from tests.e2e.house import OPENCLAUDE, PROFILE, House

STREAMING = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
ANSWER_TIMEOUT_S = 180.0
ENDED = "claude has ended"  # in place of an answer, which then nobody waits for


class Session:
    """One claude that runs until its input ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.results: Queue[dict[str, Any]] = Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            said = json.loads(line)
            if said["type"] == "result":
                self.results.put(said)
        self.results.put({"result": ENDED, "session_id": "", "usage": {}})

    def ask(self, text: str) -> None:
        """Send a prompt; get the answer with `answer`."""
        assert self.process.stdin
        said = {"type": "user", "message": {"role": "user", "content": text}}
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """Return the next answer. Raises queue.Empty if none comes."""
        return str(self.result()["result"])

    def result(self) -> dict[str, Any]:
        """Return the next answer with all that claude says of it. Raises queue.Empty."""
        return self.results.get(timeout=ANSWER_TIMEOUT_S)


@contextmanager
def session(
    house: House,
    model: str,
    *more: str,
    profile: str = PROFILE,
    env: Mapping[str, str] | None = None,
) -> Iterator[Session]:
    """Start a session in the house, with these further arguments; it ends with the block."""
    process = subprocess.Popen(
        [str(OPENCLAUDE), "--profile", profile, "-p", "--model", model, *STREAMING, *more],
        env=house.environment(env),
        cwd=house.project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield Session(process)
        finally:
            process.kill()
