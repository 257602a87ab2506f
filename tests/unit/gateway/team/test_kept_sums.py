"""What keeps people's sums fails in whatever way: it is noted, and goes on later."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openclaude.contracts.routing import RoutingTable
from openclaude.gateway.team import limited
from openclaude.gateway.team.counts import LocalCount, use_of
from openclaude.gateway.team.kept import KeptCount
from openclaude.gateway.team.limited import LimitedUse

TABLE = RoutingTable(slots={})


def test_a_file_system_that_lets_nothing_be_removed_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_path: Path, *_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    notes: list[str] = []
    count = KeptCount(tmp_path / "spent.json", notes.append)
    count.spent.add(use_of("ann", "1", 0.0), 5)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fails)
        broken.setattr(Path, "unlink", fails)
        asyncio.run(count.close())
    assert len(notes) == 1
    assert "Read-only file system" in notes[0]

    asyncio.run(count.close())

    assert (tmp_path / "spent.json").exists()


@pytest.mark.parametrize("said", ["Infinity", "-Infinity", "NaN", "1e999"])
def test_a_sum_that_is_no_number_stops_no_server(tmp_path: Path, said: str) -> None:
    (tmp_path / "spent.json").write_text(f'{{"2026-12-01": {{"ann": {said}}}}}')
    notes: list[str] = []

    KeptCount(tmp_path / "spent.json", notes.append)

    assert len(notes) == 1


class Failing(LocalCount):
    """It fails twice in keeping, then keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = asyncio.Event()
        self.tries = 0
        self.is_closed = False

    async def keep(self) -> None:
        self.tries += 1
        if self.tries <= 2:
            raise RuntimeError("a slip of ours")
        self.kept.set()
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.is_closed = True


def test_a_failure_of_what_keeps_the_sums_is_noted_once_and_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limited, "KEEP_AGAIN_S", 0.0)
    notes: list[str] = []

    async def play() -> Failing:
        count = Failing()

        async def serve(_scope: Any, _receive: Any, send: Any) -> None:
            await count.kept.wait()
            await send({"type": "lifespan.shutdown.complete"})

        async def nothing(*_: Any) -> None:
            """Nobody asks."""

        app = LimitedUse(serve, count, TABLE, notes.append)
        await asyncio.wait_for(app({"type": "lifespan"}, nothing, nothing), 20)  # type: ignore[arg-type]
        return count

    assert asyncio.run(play()).is_closed
    assert len(notes) == 1
    assert "is not kept now: RuntimeError: a slip of ours" in notes[0]
