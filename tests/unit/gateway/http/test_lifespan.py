"""What an instance does at its end, which uvicorn cuts off after the last message of a lifespan."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openclaude.contracts.routing import RoutingTable
from openclaude.gateway.http.asgi import Message, before_the_end
from openclaude.gateway.routing.router import Router
from openclaude.gateway.telemetry.endpoint import TelemetryPort


class Told:
    """What happened, in its order."""

    def __init__(self) -> None:
        self.order: list[str] = []

    async def send(self, message: Message) -> None:
        self.order.append(message["type"])

    def flush(self, _timeout_s: float) -> bool:
        self.order.append("the ledger is written")
        return True

    def start(self) -> None:
        self.order.append("figures begin")

    def stop(self) -> None:
        self.order.append("figures are sent")


async def application(_scope: Any, _receive: Any, send: Any) -> None:
    for kind in ("startup", "shutdown"):
        await send({"type": f"lifespan.{kind}.complete"})


def test_what_is_noted_is_written_and_then_told_before_the_process_may_end() -> None:
    told: Any = Told()
    router = Router(application, RoutingTable(slots={}), raw_body_key="raw", ledger=told)
    port = TelemetryPort(router, told, None)

    asyncio.run(port({"type": "lifespan"}, told.send, told.send))

    assert told.order == [
        "figures begin",
        "lifespan.startup.complete",
        "the ledger is written",
        "figures are sent",
        "lifespan.shutdown.complete",
    ]


@pytest.mark.parametrize("end", ["complete", "failed"])
def test_the_end_is_told_after_the_work_however_it_went(end: str) -> None:
    told = Told()

    async def work() -> None:
        told.order.append("work")

    async def run() -> None:
        await before_the_end(told.send, work)({"type": f"lifespan.shutdown.{end}"})

    asyncio.run(run())

    assert told.order == ["work", f"lifespan.shutdown.{end}"]
