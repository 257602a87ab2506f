"""The way from main to providers: whoever else has that port hears a handshake, and no more."""

from __future__ import annotations

import http.client
import json
import os
import select
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from openclaude.run.launcher.certificate import make_certificate, take_certificate
from openclaude.run.launcher.listeners import bind_pair
from openclaude.run.supervisor.unit_start import StackContext, spawn_process
from tests.conftest import variant
from tests.e2e import squatter
from tests.e2e.house import House
from tests.e2e.instances import MAIN_KEY, PROVIDERS_KEY, READY_TIMEOUT_S, plan_of

TIMEOUT_S = 60.0


@contextmanager
def main_beside_somebody(house: House, folder: Path, *, is_real: bool) -> Iterator[int]:
    """A real main whose providers is `squatter.hear`; main's port.

    `is_real` gives the other one the certificate that main was told.
    """
    plan = plan_of(house)
    for name, text in plan.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    own = take_certificate(folder, is_used=False)
    other = folder / "own.pem"
    other.write_text(own.read_text() if is_real else "".join(make_certificate()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(other)
    pair = bind_pair(plan.port, strict=False)
    stack = StackContext(
        folder, pair.port, MAIN_KEY, PROVIDERS_KEY, dict(os.environ), certificate=str(own)
    )
    (unit,) = (unit for unit in plan.units if unit.name == "main")

    def squat() -> None:
        while True:
            try:
                connection, _ = pair.providers.accept()
            except OSError:  # closed: the test is over
                return
            squatter.hear(connection, context, folder)

    threading.Thread(target=squat, daemon=True).start()
    process = spawn_process(unit, pair.main.fileno(), stack)
    try:
        assert select.select([process.report], [], [], READY_TIMEOUT_S)[0], "it is not ready"
        assert process.read_report(), (folder / "main.log").read_text()
        yield pair.port
    finally:
        process.kill()
        process.reap()
        pair.close()


@pytest.mark.parametrize(("is_real", "status"), [(False, 503), variant(True, 529)])
def test_main_says_nothing_to_providers_that_cannot_prove_itself(
    house: House, tmp_path: Path, is_real: bool, status: int
) -> None:
    slot = "openclaude-haiku"
    body = json.dumps(
        {"model": slot, "max_tokens": 9, "messages": [{"role": "user", "content": "a secret"}]}
    )
    with main_beside_somebody(house, tmp_path, is_real=is_real) as port:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        with closing(line):
            headers = {
                "content-type": "application/json",
                "x-litellm-api-key": f"Bearer {MAIN_KEY}",
            }
            line.request("POST", "/v1/messages", body, headers)
            reply = line.getresponse()
            told = reply.read().decode()

    heard = (tmp_path / "heard").read_text() if (tmp_path / "heard").exists() else ""
    assert reply.status == status, told
    assert ("a secret" in heard, PROVIDERS_KEY in heard) == (is_real, is_real)
