"""Eyes: who is asked to describe a picture, how often, and what stands there if that fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from openclaude.contracts.routing import EyesRoute, ModelPrices, RoutingTable, SlotRoute
from openclaude.gateway.routing.meter import Meter
from openclaude.gateway.routing.router import Router
from openclaude.gateway.vision import eyes as module
from openclaude.gateway.vision.eyes import Eyes
from openclaude.ledger.entry import RequestEntry, Via
from tests.unit.gateway.vision.test_pictures import image, pdf, request, result, text

NOVA = "bedrock/amazon.nova-lite-v1:0"
SLOT = "openclaude-haiku"
TABLE = RoutingTable(
    slots={SLOT: SlotRoute(model="qwen"), "openclaude-sonnet": SlotRoute(model="glm")},
    eyes={SLOT: EyesRoute(group="openclaude-eyes-haiku", model=NOVA, route=SlotRoute())},
    models={NOVA: ModelPrices(provider="bedrock", region="us-west-2", input=1e-6, output=2e-6)},
)
READS_PDF = TABLE._replace(eyes={SLOT: TABLE.eyes[SLOT]._replace(reads_pdf=True)})
CAT = "[image described by nova: a cat]"
HEADERS = [(b"x-claude-code-session-id", b"s-1"), (b"authorization", b"Bearer plan")]


def said(words: str = "a cat", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 1000, "output_tokens": 50}
    content = [text(words)] if words else []
    return {"type": "message", "model": "nova", "content": content, "usage": usage, **more}


class Providers:
    """Stands in for what passes requests on: keeps what it got, answers as it is told."""

    def __init__(self, *replies: Any, status: int = 200) -> None:
        self.replies = [*replies] or [said()]
        self.status = status
        self.asked: list[dict[str, Any]] = []
        self.scopes: list[dict[str, Any]] = []
        self.before: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        shown = json.loads((await receive())["body"])
        self.scopes.append(dict(scope))
        self.asked.append(json.loads(scope["state"]["raw"]))
        assert shown == {"model": self.asked[-1]["model"]}
        if self.before:
            await self.before()
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(reply).encode()})


class Looking:
    """Eyes with a stand-in behind them, and what was noted."""

    def __init__(
        self, providers: Providers, table: RoutingTable = TABLE, timeout_s: float = 5.0
    ) -> None:
        self.now = 0.0
        self.entries: list[RequestEntry] = []
        self.table = table
        self.eyes = Eyes(
            providers, table, raw_body_key="raw", timeout_s=timeout_s, clock=lambda: self.now
        )

    async def see(self, *content: Any, slot: str = SLOT) -> list[Any]:
        async def nowhere(_: Any) -> None:
            raise AssertionError

        meter = Meter(nowhere, self.table, "claude-haiku-5-5", HEADERS)
        meter.is_for(slot)
        seen = await self.eyes.see(
            slot, request(*content), meter, lambda one: self.entries.append(one.entry(0.0))
        )
        found: list[Any] = seen["messages"][0]["content"]
        return found


def words(*content: Any, providers: Providers, table: RoutingTable = TABLE) -> list[Any]:
    return asyncio.run(Looking(providers, table).see(*content))


def test_a_description_stands_in_the_place_of_an_image_and_says_what_it_is() -> None:
    providers = Providers()

    assert words(image(), text("x"), providers=providers) == [text(CAT), text("x")]
    (asked,) = providers.asked
    assert asked["model"] == "openclaude-eyes-haiku"
    assert asked["messages"][0]["content"][0] == image()
    assert asked.keys() == {"model", "max_tokens", "messages"}
    (scope,) = providers.scopes
    assert scope["path"] == "/providers/v1/messages"
    assert {name for name, _ in scope["headers"]} == {b"host", b"content-type", b"content-length"}


def test_each_picture_is_described_once_wherever_and_whenever_it_is_shown() -> None:
    providers = Providers(said("a cat"), said("a dog"))

    async def run() -> None:
        looking = Looking(providers)
        first = await looking.see(image(), result(image(), image("BBBB")))
        assert first == [text(CAT), result(text(CAT), text(CAT.replace("cat", "dog")))]
        assert await looking.see(image("BBBB")) == [text(CAT.replace("cat", "dog"))]
        both = await asyncio.gather(looking.see(image()), looking.see(image()))
        assert [*both] == [[text(CAT)]] * 2

    asyncio.run(run())
    assert len(providers.asked) == 2


def test_two_who_ask_at_once_wait_for_the_same_description_also_if_one_leaves() -> None:
    providers = Providers()
    begun, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        await go.wait()

    providers.before = hold

    async def run() -> None:
        looking = Looking(providers)
        leaving = asyncio.create_task(looking.see(image()))
        await begun.wait()
        staying = asyncio.create_task(looking.see(image()))
        await asyncio.sleep(0)
        leaving.cancel()
        go.set()
        assert await staying == [text(CAT)]

    asyncio.run(run())
    assert len(providers.asked) == 1


def test_a_request_for_a_description_is_in_the_ledger_as_one_of_its_own() -> None:
    looking = Looking(Providers(said(model=NOVA)))

    asyncio.run(looking.see(image()))

    (entry,) = looking.entries
    assert (entry.via, entry.tier, entry.session) == (Via.EYES, "haiku", "s-1")
    assert (entry.asked, entry.answered, entry.status) == (NOVA, NOVA, 200)
    assert (entry.provider, entry.region) == ("bedrock", "us-west-2")
    assert entry.dollars == pytest.approx(1000 * 1e-6 + 50 * 2e-6)


@pytest.mark.parametrize(
    ("providers", "why"),
    [
        (Providers({"error": {"message": "no such key sk-1"}}, status=401), "failed (HTTP 424)"),
        (Providers({"error": {"message": "slow down"}}, status=429), "failed (HTTP 429)"),
        (Providers(said("")), "has said nothing"),
        (Providers("not an object"), "has said nothing"),
        (Providers(OSError("broken")), "failed"),
    ],
    ids=["refused", "throttled", "silent", "odd", "broken"],
)
def test_a_failure_becomes_a_sentence_without_the_providers_words(
    providers: Providers, why: str
) -> None:
    looking = Looking(providers)

    (block,) = asyncio.run(looking.see(image()))

    assert block["text"] == (
        f"[An image was here. This model cannot see it, and {NOVA}, which describes it, {why}: "
        "tell the user.]"
    )
    assert [entry.via for entry in looking.entries] == [Via.EYES]


def test_what_takes_too_long_is_given_up() -> None:
    providers = Providers()
    providers.before = asyncio.Event().wait  # type: ignore[assignment]

    (block,) = asyncio.run(Looking(providers, timeout_s=0.05).see(image()))

    assert "which describes it, has not answered in time" in block["text"]


def test_a_failure_is_tried_again_after_a_minute_and_not_before() -> None:
    providers = Providers(said(""), said("a cat"))

    async def run() -> None:
        looking = Looking(providers)
        failed = await looking.see(image())
        looking.now = 60.0
        assert await looking.see(image()) == failed
        assert len(providers.asked) == 1
        looking.now = 60.1
        assert await looking.see(image()) == [text(CAT)]

    asyncio.run(run())


def test_a_pdf_is_described_by_a_model_that_reads_pdfs_only() -> None:
    asked, unasked = Providers(), Providers()

    assert words(pdf(), providers=asked, table=READS_PDF) == [text(CAT.replace("image", "PDF"))]
    (said_of_it,) = words(pdf(), providers=unasked)

    assert said_of_it == text(f"[A PDF was here; neither this model nor {NOVA} can read it.]")
    assert (len(asked.asked), unasked.asked) == (1, [])


def test_a_description_that_was_cut_says_so() -> None:
    (by_model,) = words(image(), providers=Providers(said("a c", stop_reason="max_tokens")))
    (by_us,) = words(image(), providers=Providers(said("a" * 20_001)))

    end = " (the description was too long and ends here)]"
    assert by_model["text"] == "[image described by nova: a c" + end
    assert len(by_us["text"]) == len("[image described by nova: ") + 20_000 + len(end)
    assert by_us["text"].endswith(end)


def test_a_slot_without_eyes_and_a_request_without_pictures_stay_as_they_are() -> None:
    providers = Providers()

    async def run() -> None:
        looking = Looking(providers)
        assert await looking.see(image(), slot="openclaude-sonnet") == [image()]
        assert await looking.see(text("x")) == [text("x")]

    asyncio.run(run())
    assert providers.asked == []


def test_only_so_many_descriptions_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    providers = Providers()

    async def run() -> None:
        looking = Looking(providers)
        for data in ("AAAA", "BBBB", "AAAA", "CCCC", "AAAA", "BBBB"):
            await looking.see(image(data))

    asyncio.run(run())
    order = [one["messages"][0]["content"][0]["source"]["data"] for one in providers.asked]
    assert order == ["AAAA", "BBBB", "CCCC", "BBBB"]


def routed(model: str, path: str = "/v1/messages") -> Providers:
    """Send a request with an image through the router."""
    providers = Providers()
    router = Router(
        providers,
        TABLE,
        raw_body_key="raw",
        eyes=Eyes(providers, TABLE, raw_body_key="raw"),
    )
    body = json.dumps({**request(image()), "model": model}).encode()
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": HEADERS}
    asyncio.run(router(scope, receive, send))
    return providers


def test_the_router_has_a_slots_images_described_and_sends_anthropic_its_bytes() -> None:
    asked, answering = routed(SLOT).asked
    (raw,) = routed("claude-opus-5-5").asked

    assert asked["model"] == "openclaude-eyes-haiku"
    assert answering == {**request(text(CAT)), "model": SLOT}
    assert raw == {**request(image()), "model": "claude-opus-5-5"}
