"""A route that is made later serves as one that is made at once."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, Depends, FastAPI
from fastapi.routing import APIRoute

from openclaude.gateway.http.asgi import Message, own_request
from openclaude.gateway.late import routes
from openclaude.gateway.late.routes import late_routes


def who(name: str = "nobody") -> str:
    return name


def make() -> FastAPI:
    app = FastAPI(openapi_url=None)
    router = APIRouter(prefix="/v1", tags=["a"])

    @router.get("/things/{number}")
    def thing(number: int, name: Annotated[str, Depends(who)]) -> dict[str, Any]:
        return {"number": number, "name": name}

    @router.post("/things", status_code=201)
    def add(size: Annotated[int, Body(embed=True)]) -> int:
        return size

    app.include_router(router)
    return app


def is_made(route: APIRoute) -> bool:
    return routes.LATER not in vars(route)


def ours(app: FastAPI) -> list[APIRoute]:
    """Return the routes of the router, wherever this FastAPI keeps them."""
    tables = [vars(route).get("original_router", app.router) for route in app.router.routes]
    found = {id(route): route for table in tables for route in table.routes}
    return [route for route in found.values() if isinstance(route, APIRoute)]


async def ask(app: FastAPI, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Return status and body of a reply."""
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await app(own_request(method, path, head), receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told)


REQUESTS = (
    ("GET", "/v1/things/7", b""),
    ("GET", "/v1/things/seven", b""),
    ("POST", "/v1/things", b'{"size": 3}'),
    ("POST", "/v1/things", b'{"size": "x"}'),
    ("PUT", "/v1/things", b""),
    ("GET", "/v1/nothing", b""),
)


def test_a_late_route_answers_like_any_other() -> None:
    usual = make()
    with late_routes():
        late = make()
    assert not any(is_made(route) for route in ours(late))

    for request in REQUESTS:
        assert asyncio.run(ask(late, *request)) == asyncio.run(ask(usual, *request))


def test_a_late_route_has_what_any_other_has() -> None:
    usual = ours(make())
    with late_routes():
        late = ours(make())

    for one, other in zip(usual, late, strict=True):
        assert one.path == other.path
        assert one.name == other.name
        assert one.methods == other.methods
        assert one.tags == other.tags
        assert one.status_code == other.status_code
        assert one.path_regex == other.path_regex
        assert not hasattr(other, "nonsense")
        assert vars(one).keys() == vars(other).keys()


def test_routes_after_the_context_are_made_at_once() -> None:
    with late_routes():
        pass

    assert all(is_made(route) for route in ours(make()))


def test_a_route_of_another_class_is_made_at_once() -> None:
    class Own(APIRoute):
        pass

    router = APIRouter(route_class=Own)
    with late_routes():
        router.add_api_route("/", who)

    (route,) = router.routes
    assert isinstance(route, Own)
    assert is_made(route)


def test_an_endpoint_that_cannot_be_served_fails_when_it_is_looked_at() -> None:
    class Strange:
        pass

    def endpoint(strange: Strange) -> None: ...

    endpoint.__annotations__["strange"] = Strange
    router = APIRouter()
    with late_routes():
        router.add_api_route("/", endpoint)

    (route,) = router.routes
    for _ in range(2):
        with pytest.raises(Exception, match="Invalid args for response field"):
            _ = route.path_regex  # type: ignore[attr-defined]
