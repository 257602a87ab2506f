"""A million requests: how fast `usage` is, and how large the file.

The figures are printed (`pytest -s`). What is limited is the processor time of the whole command:
a test's machine is not quiet.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.store import add, ledger_file, open_to_write
from tests.e2e.house import OPENCLAUDE
from tests.unit.ledger.entries import entry

NUMBER, DAYS, BATCH = 1_000_000, 90, 500
SESSIONS = 3_000
AT_MOST_S = 1.0
MODELS = ("bedrock/qwen.qwen3-next-80b-a3b", "openai/gpt-made-up", "claude-opus-5-5")


def made(now: float) -> Iterator[RequestEntry]:
    """Ninety days of a busy house: a million requests of three thousand sessions."""
    chance = random.Random(19)  # noqa: S311 - the same for every run
    each = NUMBER // SESSIONS
    for session in range(SESSIONS):
        at = now - DAYS * 86400 + session * DAYS * 86400 / SESSIONS
        model = chance.choice(MODELS)
        is_slot = not model.startswith("claude-")
        one = entry(
            session=f"{session:08x}-0000-4000-8000-000000000000",
            project=f"/home/somebody/src/project-{session % 40}",
            tier=chance.choice(("haiku", "opus")),
            via="slot" if is_slot else "plan",
            answered=model,
            provider=model.partition("/")[0] if is_slot else "anthropic",
            request_id="req_0123456789abcdef01234567",
            instance="0123456789abcdef",
            changes="max_tokens 32000 -> 16384" if is_slot else "",
            dollars=0.00123 if is_slot else None,
            used_5h=None if is_slot else 0.25,
            used_7d=None if is_slot else 0.05,
        )
        for number in range(each):
            first = int(chance.lognormvariate(6, 0.7))
            yield one._replace(
                at=at + number * 7.5, tokens_in=chance.randrange(60_000), first_ms=first
            )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME with such a ledger, written as main does: some at a time."""
    home = tmp_path_factory.mktemp("large")
    connection = open_to_write(ledger_file(home / ".local/state/openclaude"))
    began, batch = time.monotonic(), []
    for one in made(time.time()):
        batch.append(one)
        if len(batch) == BATCH:
            add(connection, batch)
            batch = []
    add(connection, batch)
    print(f"\nwriting: {(time.monotonic() - began) / NUMBER * 1e6:.0f} us a request")
    connection.close()
    return home


def usage(home: Path, *arguments: str) -> tuple[str, float]:
    """Run the command; return what it prints and its seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    argv = (str(OPENCLAUDE), "usage", *arguments)
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ran.stdout, spent


@pytest.mark.parametrize(
    "arguments",
    [
        ("--by", "day"),
        ("--by", "tier"),
        ("--by", "model", "--since", "30d"),
        ("--by", "session"),
        ("--by", "project", "qwen"),
        ("--html", "/dev/null"),
    ],
)
def test_a_million_requests_are_summed_in_a_moment(home: Path, arguments: tuple[str, ...]) -> None:
    out, seconds = min((usage(home, *arguments) for _ in range(3)), key=lambda one: one[1])

    print(f"\nusage {' '.join(arguments)}: {seconds:.2f} s of CPU")
    assert out.count("\n") > 1 or "--html" in arguments
    assert seconds < AT_MOST_S


def test_the_file_takes_less_than_half_a_kilobyte_a_request(home: Path) -> None:
    path = ledger_file(home / ".local/state/openclaude")
    size = path.stat().st_size
    connection = sqlite3.connect(path)
    (rows,) = connection.execute("SELECT count(*) FROM requests").fetchone()
    connection.close()

    print(f"\n{size / 1e6:.0f} MB, {size / rows:.0f} bytes a request", file=sys.stderr)
    assert size / rows < 512
