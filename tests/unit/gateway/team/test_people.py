"""People's keys: who is let in where other machines ask, and what is done with everything else."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from openclaude.contracts.decode import Malformed
from openclaude.contracts.team.people import read_people
from openclaude.contracts.worker import ADMIT, DRAINING
from openclaude.gateway.team.people import LIVENESS, READINESS, People, PeopleAccess
from openclaude.gateway.team.served import ServedModels

ROUTES = frozenset({("POST", "/v1/messages")})
HEADERS = (b"authorization", b"x-api-key", b"x-litellm-api-key")
KEY = "sk-openclaude-ann"


def line(name: str, key: str) -> str:
    return f"{name} {sha256(key.encode()).hexdigest()}\n"


async def inner(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "people.keys"
    path.write_text(f"# the team\n\n{line('ann', KEY)}")
    return path


def ask(
    app: Any, headers: dict[str, str], method: str = "POST", path: str = "/v1/messages", **more: Any
) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    body = more.pop("body", b"")
    scope = {"type": "http", "method": method, "path": path, "headers": raw, **more}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])


def door(keys: Path, notes: list[str] | None = None) -> PeopleAccess:
    note = (notes if notes is not None else []).append
    return PeopleAccess(
        inner,
        People(keys, note),
        routes=ROUTES,
        models=("bedrock/m",),
        key_headers=HEADERS,
        note=note,
    )


@pytest.mark.parametrize(
    ("headers", "method", "path", "status"),
    [
        ({"x-litellm-api-key": f"Bearer {KEY}"}, "POST", "/v1/messages", 200),
        ({"x-litellm-api-key": KEY, "authorization": f"Bearer {KEY}"}, "POST", "/v1/messages", 200),
        ({}, "POST", "/v1/messages", 401),
        ({"x-litellm-api-key": "Bearer sk-openclaude-eve"}, "POST", "/v1/messages", 401),
        ({"x-litellm-api-key": KEY, "authorization": "Bearer login"}, "POST", "/v1/messages", 424),
        ({"x-litellm-api-key": KEY, "origin": "https://x"}, "POST", "/v1/messages", 404),
        ({"x-litellm-api-key": KEY}, "GET", "/v1/messages", 404),
        ({"x-litellm-api-key": KEY}, "POST", "/key/generate", 404),
        ({"x-litellm-api-key": KEY}, "GET", "/v1/models", 200),
        ({}, "GET", "/v1/models", 401),
        ({}, "GET", "/health/liveness", 200),
        ({}, "HEAD", "/health/readiness", 200),
        ({}, "POST", "/health/readiness", 404),
    ],
)
def test_only_a_known_key_gets_in_and_health_needs_none(
    keys: Path, headers: dict[str, str], method: str, path: str, status: int
) -> None:
    assert ask(door(keys), headers, method, path)[0] == status


def test_a_key_counts_no_more_from_the_request_after_its_line_is_removed(keys: Path) -> None:
    app = door(keys)
    mine = {"x-litellm-api-key": KEY}

    before = ask(app, mine)[0]
    keys.write_text(line("bob", "another"))
    after = ask(app, mine)[0]
    keys.unlink()
    gone = ask(app, {"x-litellm-api-key": "another"})[0]

    assert (before, after, gone) == (200, 401, 401)


def test_a_broken_file_lets_nobody_in(keys: Path) -> None:
    keys.write_text(line("ann", KEY) + "bob not-a-digest\n")

    assert ask(door(keys), {"x-litellm-api-key": KEY})[0] == 401
    with pytest.raises(Malformed, match="line 2 must be `NAME SHA256-OF-THE-KEY`"):
        read_people(keys.read_text())


def test_why_nobody_is_let_in_is_said_once(keys: Path) -> None:
    notes: list[str] = []
    app = door(keys, notes)
    mine = {"x-litellm-api-key": KEY}
    good = keys.read_text()

    def why() -> list[str]:
        """The reasons that two requests leave in the log."""
        notes.clear()
        ask(app, mine)
        ask(app, mine)
        return [one for one in notes if str(keys) in one]

    keys.write_text(good + "bob not-a-digest\n")
    broken = why()
    keys.unlink()
    gone = why()
    keys.write_text(good)
    whole = why()
    keys.unlink()
    again = why()

    lets = f"nobody is let in: `{keys}` cannot be used"
    assert len(broken) == 1
    assert broken[0].startswith(f"{lets}: line 4 must be `NAME SHA256-OF-THE-KEY`")
    assert gone == again == [f"{lets}: No such file or directory"]
    assert whole == []


def test_the_log_has_names_and_no_key(keys: Path) -> None:
    notes: list[str] = []
    app = door(keys, notes)

    ask(app, {"x-litellm-api-key": KEY}, "GET", "/v1/models", client=("10.0.0.7", 1))
    ask(app, {"x-litellm-api-key": "sk-openclaude-eve"}, client=("10.0.0.8", 1))

    assert notes == ["10.0.0.7: ann GET /v1/models", "10.0.0.8: refused, no known key"]


def test_only_a_request_with_a_key_is_admitted(keys: Path) -> None:
    admitted: list[str] = []

    of_stranger: dict[str, Any] = {ADMIT: lambda: admitted.append("stranger")}
    of_ann: dict[str, Any] = {ADMIT: lambda: admitted.append("ann")}
    ask(door(keys), {}, **of_stranger)
    ask(door(keys), {"x-litellm-api-key": KEY}, **of_ann)

    assert admitted == ["ann"]


@pytest.mark.parametrize(
    ("model", "status", "said"),
    [
        ("bedrock/m", 200, b"openclaude-haiku"),
        ("openclaude-haiku", 404, b"it has `bedrock/m`"),
        (None, 404, b"this server has no such model"),
    ],
)
def test_a_model_is_asked_for_by_its_name_in_profiles(
    model: str | None, status: int, said: bytes
) -> None:
    async def echo(_scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.loads(body)["model"].encode()})

    app = ServedModels(echo, {"bedrock/m": "openclaude-haiku"}, paths=frozenset({"/v1/messages"}))
    found = ask(app, {}, body=json.dumps({"model": model}).encode())

    assert found[0] == status
    assert said in found[1]


# The end ------------------------------------------------------------------------------------------

ENDING = {"state": {DRAINING: True}}


@pytest.mark.parametrize(("path", "status"), [(READINESS, 503), (LIVENESS, 200)])
def test_one_that_ends_is_alive_and_no_longer_ready(keys: Path, path: str, status: int) -> None:
    assert ask(door(keys), {}, "GET", path)[0] == 200
    assert ask(door(keys), {}, "GET", path, **ENDING)[0] == status
    assert ask(door(keys), {}, "HEAD", path, **ENDING) == (status, b"")


def test_the_last_requests_are_answered_and_their_connections_end(keys: Path) -> None:
    said: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        said.append(dict(message))

    scope = {
        **{"type": "http", "method": "POST", "path": "/v1/messages"},
        "headers": [(b"x-api-key", KEY.encode())],
    }
    asyncio.run(door(keys)({**scope, **ENDING}, None, send))  # type: ignore[arg-type]
    asyncio.run(door(keys)(scope, None, send))  # type: ignore[arg-type]

    starts = [one for one in said if one["type"] == "http.response.start"]
    assert [one["status"] for one in starts] == [200, 200]
    assert [(b"connection", b"close") in one["headers"] for one in starts] == [True, False]
