"""The router: which route a request takes, and what is changed on each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.contracts.budget import Budgets, Then
from openclaude.contracts.routing import AnthropicAuth, RoutingTable, SlotRoute
from openclaude.gateway.routing.budget import BudgetVerdict, Step
from openclaude.gateway.routing.router import Router
from openclaude.ledger.entry import RequestEntry, Via
from tests.unit.gateway.http.test_access import call

SLOTS = {
    "openclaude-haiku": SlotRoute(model="qwen", context_window=256000, aws_profile="openclaude"),
    "claude-mine": SlotRoute(model="qwen", context_window=256000, aws_profile="openclaude"),
}
LOGIN = {"authorization": "Bearer sk-ant-oat01-plan", "x-litellm-api-key": "k"}


class Inner:
    """Stands in for LiteLLM's application: records what it was given, answers as it is told."""

    def __init__(self, status: int = 200, headers: Any = (), chunks: tuple[bytes, ...] = (b"{}",)):
        self.reply = (status, list(headers), chunks)
        self.scope: dict[str, Any] = {}
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = dict(scope)
        self.body = (await receive())["body"]
        status, headers, chunks = self.reply
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, chunk in enumerate(chunks, 1):
            more = number < len(chunks)
            await send({"type": "http.response.body", "body": chunk, "more_body": more})

    @property
    def passed(self) -> Any:
        """The document that LiteLLM sends on."""
        return json.loads(self.scope["state"]["raw"])

    @property
    def header_names(self) -> set[str]:
        return {name.decode() for name, _ in self.scope["headers"]}


def route(
    inner: Any,
    body: bytes,
    *,
    headers: Any = LOGIN,
    path: str = "/v1/messages",
    table: RoutingTable = RoutingTable(slots=SLOTS),  # noqa: B008 - frozen
) -> Any:
    router = Router(inner, table, raw_body_key="raw")
    return call(router, "POST", path, {"host": "127.0.0.1", **headers}, [body[:5], body[5:]])


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-haiku-4-5-20251001", "claude-"])
def test_a_claude_id_takes_the_raw_route_with_its_bytes_untouched(model: str, path: str) -> None:
    inner = Inner()
    body = b'{ "metadata":{"a":1},\n"model":"%s", "x":"\\u00e9" }' % model.encode()

    route(inner, body, path=path)

    assert inner.scope["path"] == "/anthropic" + path
    assert inner.scope["raw_path"] == b"/anthropic" + path.encode()
    assert inner.scope["state"] == {"raw": body}
    # all that LiteLLM may see, and obey, of it
    assert json.loads(inner.body) == {"model": model}
    assert "authorization" in inner.header_names


@pytest.mark.parametrize("model", ["claude-opus-5-5", "openclaude-haiku"])
@pytest.mark.parametrize("prefix", ["", "x-pass-"])
def test_headers_of_a_connection_are_not_passed_on(model: str, prefix: str) -> None:
    inner = Inner()
    names = ("connection", "te", "transfer-encoding", "upgrade", "proxy-authorization", "trailer")

    route(
        inner,
        json.dumps({"model": model}).encode(),
        headers={**LOGIN, **{prefix + name: "x" for name in names}, "anthropic-beta": "b"},
    )

    assert not {prefix + name for name in names} & inner.header_names
    assert "anthropic-beta" in inner.header_names


@pytest.mark.parametrize("model", sorted(SLOTS))
def test_a_slot_id_is_matched_first_and_the_login_stays_behind(model: str) -> None:
    inner = Inner()
    headers = {**LOGIN, "x-api-key": "sk-ant-api", "cookie": "c", "accept-encoding": "gzip"}

    route(inner, json.dumps({"model": model}).encode(), headers=headers)

    assert inner.scope["path"] == "/providers/v1/messages"
    assert inner.header_names == {"host", "x-litellm-api-key", "content-length"}


HELPED = RoutingTable(
    slots={"openclaude-haiku": SlotRoute(model="qwen", claude="claude-haiku-5-5")}
)
SEARCH = b'{ "tools":[{"type":"web_search_20250305","name":"web_search"}], "model":"%s","x":1.0}'


def test_a_slots_web_search_goes_to_anthropic_with_the_login_and_another_model_only() -> None:
    inner = Inner()

    route(inner, SEARCH % b"openclaude-haiku", table=HELPED)

    assert inner.scope["path"] == "/anthropic/v1/messages"
    assert inner.scope["state"] == {"raw": SEARCH % b"claude-haiku-5-5"}
    assert json.loads(inner.body) == {"model": "claude-haiku-5-5"}
    assert "authorization" in inner.header_names
    lengths = {value for name, value in inner.scope["headers"] if name == b"content-length"}
    assert lengths <= {b"%d" % len(SEARCH % b"claude-haiku-5-5")}


def test_a_web_search_whose_model_cannot_be_exchanged_stays_with_the_slot() -> None:
    inner = Inner()

    route(inner, (SEARCH % b"openclaude-haiku").decode().encode("utf-16"), table=HELPED)

    assert inner.scope["path"] == "/providers/v1/messages"
    assert "authorization" not in inner.header_names


MOVING = HELPED._replace(agents={"Explore": "openclaude-haiku"})
EXPLORE = {
    **LOGIN,
    "x-claude-code-request-class": "subagent",
    "x-claude-code-agent-type": "Explore",
}


def test_a_moved_agent_leaves_the_login_behind_whatever_model_it_asks_for() -> None:
    inner = Inner()

    route(inner, b'{"model":"claude-opus-5-5","x":1}', headers=EXPLORE, table=MOVING)

    assert inner.scope["path"] == "/providers/v1/messages"
    assert inner.passed == {"model": "openclaude-haiku", "x": 1}
    assert json.loads(inner.body) == {"model": "openclaude-haiku"}
    assert not {"authorization", "x-api-key"} & inner.header_names


def test_a_moved_agents_web_search_goes_to_anthropic_under_the_model_it_asks_for() -> None:
    inner = Inner()

    route(inner, SEARCH % b"claude-opus-5-5", headers=EXPLORE, table=MOVING)

    assert inner.scope["state"] == {"raw": SEARCH % b"claude-opus-5-5"}


def test_anthropic_is_not_sent_what_a_slot_has_thought() -> None:
    inner = Inner()
    thought = b'{"type":"thinking","thinking":"hm","signature":"openclaude:bedrock:x"}'
    turn = b'{"role":"assistant","content":[%s,{"type":"text","text":"hi"}]}'

    route(inner, b'{"model":"claude-x","messages":[' + turn % thought + b"]}")

    sent = json.loads(inner.scope["state"]["raw"])
    assert sent["messages"] == [{"role": "assistant", "content": [{"type": "text", "text": "hi"}]}]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b'{"model":"gpt-5"}', 404, "model: gpt-5"),
        (b'{"model":"openclaude-opus"}', 404, "model: openclaude-opus"),
        (b"not json", 400, "the request body must be a JSON object with a `model`"),
        (b"[]", 400, "the request body must be a JSON object with a `model`"),
        (b"{}", 400, "the request body must be a JSON object with a `model`"),
        (b'{"model":7}', 400, "the request body must be a JSON object with a `model`"),
        (b"", 400, "the request body must be a JSON object with a `model`"),
    ],
)
def test_what_belongs_on_no_route_is_answered_here(body: bytes, status: int, message: str) -> None:
    inner = Inner()

    reply = route(inner, body)

    assert (reply.status, reply.message) == (status, message)
    assert inner.scope == {}


def test_a_claude_request_without_a_login_is_no_invented_401() -> None:
    inner = Inner()

    reply = route(inner, b'{"model":"claude-x"}', headers={"x-litellm-api-key": "k"})

    assert reply.status == 424
    assert "/login" in reply.message
    assert inner.scope == {}


def test_litellms_own_headers_are_taken_out_of_a_raw_reply_and_the_upstreams_stay() -> None:
    upstream = [
        (b"request-id", b"req_1"),
        (b"anthropic-ratelimit-unified-status", b"allowed"),
        (b"X-Frame-Options", b"DENY"),
        (b"vary", b"Origin, Accept-Encoding"),
        (b"x-empty", b""),
    ]
    added = [(b"x-litellm-call-id", b"1"), (b"X-LiteLLM-Version", b"1")]

    reply = route(Inner(429, [*upstream, *added], (b"exact", b" bytes")), b'{"model":"claude-x"}')

    assert (reply.status, reply.body, reply.headers) == (429, b"exact bytes", upstream)


OWN = b'{"error":{"message":"%s","type":"internal_server_error","param":null,"code":"500"}}'


@pytest.mark.parametrize(
    ("body", "status", "shown"),
    [
        (
            OWN % b"Cannot connect to host a.example:443 ssl:<ssl.SSLContext object at 0x1> [x]",
            502,
            "openclaude: cannot reach a.example:443",
        ),
        (
            OWN % b"Server disconnected",
            502,
            "openclaude: the connection to Anthropic broke before its reply was complete",
        ),
        (b'{"type":"error","error":{"type":"api_error","message":"theirs"}}', 500, "theirs"),
        (b'{"error":{"message":"theirs"}}', 500, "theirs"),
    ],
)
def test_litellms_own_error_on_the_raw_route_is_said_in_words(
    body: bytes, status: int, shown: str
) -> None:
    reply = route(Inner(500, [], (body[:9], body[9:])), b'{"model":"claude-x"}')

    assert reply.status == status
    assert json.loads(reply.body)["error"]["message"] == shown
    assert status == 502 or reply.body == body


@pytest.mark.parametrize("body", [b"<html>500</html>", b"[]", b'{"error":"x"}', b""])
def test_any_other_500_on_the_raw_route_arrives_as_it_is(body: bytes) -> None:
    reply = route(Inner(500, [(b"x-a", b"1")], (body,)), b'{"model":"claude-x"}')

    assert (reply.status, reply.body, reply.headers) == (500, body, [(b"x-a", b"1")])


def test_a_body_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaude.gateway.routing.router.BODY_LIMIT", 10)

    reply = route(Inner(), b'{"model":"claude-x"}')

    assert reply.status == 413


def test_a_client_that_leaves_early_is_not_answered() -> None:
    import asyncio

    inner = Inner()
    router = Router(inner, RoutingTable(slots=SLOTS), raw_body_key="raw")

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        raise AssertionError("nobody is there")

    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
    asyncio.run(router(scope, receive, send))

    assert inner.scope == {}


def test_a_slots_bytes_go_on_as_they_came() -> None:
    inner = Inner()
    body = b'{ "x":1.50,\n"model":"openclaude-haiku", "y":"\\u00e9" }'

    route(inner, body)

    assert inner.scope["state"] == {"raw": body}


def test_a_slots_tokens_are_counted_by_litellm_on_main() -> None:
    inner = Inner()

    body = {"model": "openclaude-haiku", "messages": [{"role": "user", "content": "hi"}]}

    route(inner, json.dumps(body).encode(), path="/v1/messages/count_tokens")

    assert inner.scope["path"] == "/v1/messages/count_tokens"
    assert json.loads(inner.body) == body


class Counted:
    """Counts as it is told, and notes what it was asked."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def count(self, slot: str, document: dict[str, Any]) -> int:
        self.asked.append((slot, document))
        return self.tokens


class Ledger:
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.noted: list[Any] = []

    def note(self, make: Any) -> None:
        self.noted.append(make)

    def flush(self, timeout_s: float) -> bool:  # noqa: ARG002 - the name is the protocol's
        return True


@pytest.mark.parametrize(
    ("tokens", "counts", "is_estimated"), [(7, True, False), (0, True, True), (7, False, True)]
)
def test_the_tokens_of_a_claude_elsewhere_are_its_providers_else_an_estimate(
    tokens: int, counts: bool, is_estimated: bool
) -> None:
    inner, counted, ledger = Inner(), Counted(tokens), Ledger()
    table = RoutingTable(slots={"openclaude-opus": SlotRoute(model="claude", counts=counts)})
    tool = {"name": "t", "input_schema": {"type": "object", "properties": {"a": True}}}
    messages = [{"role": "user", "content": "hi"}]
    body = {"model": "openclaude-opus", "messages": messages, "tools": [tool]}
    router = Router(inner, table, raw_body_key="raw", counts=counted, ledger=ledger)

    path = "/v1/messages/count_tokens"
    reply = call(router, "POST", path, {"host": "127.0.0.1"}, [json.dumps(body).encode()])

    assert reply.status == 200
    assert counted.asked == ([("openclaude-opus", body)] if counts else [])
    assert json.loads(reply.body) == ({} if is_estimated else {"input_tokens": 7})
    assert bool(inner.scope) is is_estimated
    assert ledger.noted == [], "it has no price"


def test_the_tokens_of_a_malformed_request_are_not_counted() -> None:
    inner = Inner()
    body = b'{"model":"openclaude-haiku","messages":[{"role":"user","content":[["x"]]}]}'

    status, *said = route(inner, body, path="/v1/messages/count_tokens")

    assert (status, inner.scope) == (400, {})
    assert "messages.0.content.0: must be an object with a `type`" in str(said)


@pytest.mark.parametrize(
    ("mark", "status"), [([], 503), ([(b"x-openclaude-instance", b"providers")], 500)]
)
def test_a_500_that_is_not_of_providers_is_a_hop_that_broke(mark: Any, status: int) -> None:
    body = json.dumps({"error": {"message": "Cannot connect to host 127.0.0.1:1", "code": "500"}})

    reply = route(Inner(500, mark, (body.encode(),)), b'{"model":"openclaude-haiku"}')

    is_told = "providers instance is restarting" in reply.message
    assert (reply.status, is_told) == ((503, True) if status == 503 else (424, False))


class Breaking(Inner):
    """LiteLLM's application when the other instance dies in the middle of its answer."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        status, headers, chunks = self.reply
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        raise ExceptionGroup("a task group's", [ConnectionResetError()])


def test_a_slots_stream_that_breaks_off_says_so() -> None:
    headers = [(b"content-type", b"text/event-stream")]

    reply = route(Breaking(200, headers, (b"event: e\ndata: {",)), b'{"model":"openclaude-haiku"}')

    assert reply.body.startswith(b"\n\nevent: error\ndata: ")  # not half an event before it
    assert b"qwen: the connection broke before the reply was complete" in reply.body


def test_a_whole_reply_that_breaks_off_is_cut() -> None:
    headers = [(b"content-type", b"application/json")]

    with pytest.raises(ExceptionGroup):
        route(Breaking(200, headers, (b"{",)), b'{"model":"openclaude-haiku"}')


@pytest.mark.parametrize("status", [401, 403])
def test_a_slots_401_and_403_never_reach_claude(status: int) -> None:
    body = json.dumps({"type": "error", "error": {"type": "x", "message": "denied"}}).encode()

    reply = route(Inner(status, [], (body[:9], body[9:])), b'{"model":"openclaude-haiku"}')

    assert reply.status == 424
    assert reply.message.startswith("qwen: ")


def test_a_slots_stream_passes_event_by_event_and_its_error_is_rewritten() -> None:
    events = b"event: ping\ndata: {}\n\nevent: content_block_stop\ndata: {}\n\n"
    nested = {"type": "error", "error": {"type": "api_error", "message": "litellm.APIError: boom"}}
    error = b"event: error\ndata: " + json.dumps(nested).encode() + b"\n\n"
    chunks = (events[:7], events[7:30], events[30:] + error[:12], error[12:])
    headers = [(b"content-type", b"text/event-stream"), (b"x-litellm-version", b"1")]

    reply = route(Inner(200, headers, chunks), b'{"model":"openclaude-haiku"}')

    assert reply.headers == [(b"content-type", b"text/event-stream")]
    assert reply.body.startswith(events + b"event: error\ndata: ")
    assert reply.body.endswith(b"\n\n")
    assert b"litellm" not in reply.body
    assert b"qwen: " in reply.body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_slots_stream_arrives_whole_however_it_was_cut(size: int) -> None:
    text = b"".join(b"event: e%d\ndata: {}\n\n" % number for number in range(9)) + b"tail"
    chunks = tuple(text[at : at + size] for at in range(0, len(text), size))
    headers = [(b"content-type", b"text/event-stream")]

    assert route(Inner(200, headers, chunks), b'{"model":"claude-mine"}').body == text


# --- without a plan


def test_with_an_api_key_what_claude_sent_as_login_stays_behind() -> None:
    inner = Inner()
    body = b'{"model":"claude-opus-5-5"}'

    route(
        inner,
        body,
        headers={**LOGIN, "x-api-key": "x"},
        table=RoutingTable(slots=SLOTS, auth=AnthropicAuth.API_KEY),
    )

    assert inner.scope["state"] == {"raw": body}
    assert inner.header_names == {"host", "x-litellm-api-key"}


@pytest.mark.parametrize(
    ("model", "slot"),
    [
        ("claude-opus-5-5", "openclaude-opus"),
        ("claude-3-5-haiku-20241022", "openclaude-haiku"),
        ("claude-fable-5-2", "openclaude-fable"),
        ("claude-sonnet-5", "openclaude-sonnet"),
        ("claude-next", "openclaude-sonnet"),
        ("openclaude-haiku", "openclaude-haiku"),
    ],
)
def test_without_a_claude_account_every_id_of_claudes_is_the_tier_of_its_family(
    model: str, slot: str
) -> None:
    families = ("opus", "sonnet", "haiku", "fable")
    slots = {
        f"openclaude-{name}": SlotRoute(
            model="qwen", context_window=256000, aws_profile="openclaude"
        )
        for name in families
    }
    inner = Inner()

    route(
        inner,
        json.dumps({"model": model}).encode(),
        table=RoutingTable(slots=slots, auth=AnthropicAuth.NONE),
    )

    assert inner.scope["path"] == "/providers/v1/messages"
    assert inner.passed["model"] == slot


# --- the plan's limit

LIMIT = [(b"anthropic-ratelimit-unified-status", b"rejected"), (b"retry-after", b"9000")]
ON_LIMIT = RoutingTable(
    slots={**SLOTS, "openclaude-on-limit": SlotRoute(model="qwen")}, on_limit="openclaude-on-limit"
)


class Both:
    """LiteLLM's application on both routes: Anthropic answers as told, the slot with a 200."""

    def __init__(self, status: int, headers: Any) -> None:
        self.raw = Inner(status, headers, (b'{"type":"error"}',))
        self.slot = Inner()
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        inner = self.raw if scope["path"].startswith("/anthropic") else self.slot
        await inner(scope, receive, send)


def test_at_the_plans_limit_the_request_goes_on_to_the_named_model_once() -> None:
    both = Both(429, LIMIT)

    reply = route(both, b'{"model":"claude-opus-5-5","x":1}', table=ON_LIMIT)

    assert both.asked == ["/anthropic/v1/messages", "/providers/v1/messages"]
    assert both.slot.passed == {"model": "openclaude-on-limit", "x": 1}
    assert not {"authorization", "x-api-key"} & both.slot.header_names
    assert (reply.status, reply.body) == (200, b"{}")


@pytest.mark.parametrize(
    ("status", "headers", "path", "table"),
    [
        (429, LIMIT, "/v1/messages", RoutingTable(slots=SLOTS)),
        (429, [], "/v1/messages", ON_LIMIT),
        (429, [(b"anthropic-ratelimit-unified-status", b"allowed")], "/v1/messages", ON_LIMIT),
        (529, LIMIT, "/v1/messages", ON_LIMIT),
        (200, LIMIT, "/v1/messages", ON_LIMIT),
        (429, LIMIT, "/v1/messages/count_tokens", ON_LIMIT),
    ],
    ids=["not asked for", "busy", "not yet", "overloaded", "answered", "only counting"],
)
def test_everything_else_that_anthropic_says_is_claudes_to_hear(
    status: int, headers: Any, path: str, table: RoutingTable
) -> None:
    both = Both(status, headers)

    reply = route(both, b'{"model":"claude-opus-5-5"}', path=path, table=table)

    assert both.asked == ["/anthropic" + path]
    assert (reply.status, reply.body) == (status, b'{"type":"error"}')


def test_the_model_for_the_limit_is_no_model_to_ask_for() -> None:
    reply = route(Inner(), b'{"model":"openclaude-on-limit"}', table=ON_LIMIT)

    assert reply.status == 404


# --- budgets

PAID = RoutingTable(
    slots={
        "openclaude-haiku": SlotRoute(model="qwen", claude="claude-haiku-5-5"),
        "openclaude-on-limit": SlotRoute(model="qwen"),
    },
    on_limit="openclaude-on-limit",
)
CHEAP = "openclaude-over-budget"


class Judge:
    """Stands in for the budgets: one verdict, and what was told and counted."""

    def __init__(self, verdict: BudgetVerdict, budgets: Budgets | None = None) -> None:
        self.verdict = verdict
        self.budgets = budgets or Budgets(
            then=Then.MODEL, slot=CHEAP, route=SlotRoute(model="cheap")
        )
        self.asked: list[tuple[str, str]] = []
        self.shown: list[BudgetVerdict] = []
        self.entries: list[RequestEntry] = []
        self.spending = self

    async def judge(self, tier: str, session: str) -> BudgetVerdict:
        self.asked.append((tier, session))
        return self.verdict

    def told(self, verdict: BudgetVerdict) -> None:
        self.shown.append(verdict)

    def count(self, entry: RequestEntry) -> RequestEntry:
        self.entries.append(entry)
        return entry


class Sink:
    """Makes each entry at once."""

    def note(self, work: Any) -> None:
        work()

    def flush(self, timeout_s: float) -> bool:
        return timeout_s > 0


def judged(inner: Any, judge: Judge, model: str, path: str = "/v1/messages", **more: Any) -> Any:
    """Send a request with a verdict in its way."""
    gate: Any = judge
    router = Router(inner, PAID, raw_body_key="raw", ledger=Sink(), budget=gate)
    headers = {"host": "127.0.0.1", **LOGIN, "x-claude-code-session-id": "s1"}
    messages = [{"role": "user", "content": "hi"}]
    body = json.dumps({"model": model, "messages": messages, **more}).encode()
    return call(router, "POST", path, headers, [body])


@pytest.mark.parametrize("model", ["openclaude-haiku", "claude-opus-5-5"])
def test_a_used_up_budget_stops_what_a_slot_would_have_answered(model: str) -> None:
    both = Both(429, LIMIT)
    judge = Judge(BudgetVerdict(Step.STOP, "it is used up"))

    reply = judged(both, judge, model)

    assert reply.status == 424
    assert json.loads(reply.body)["error"]["message"] == "it is used up"
    assert both.slot.scope == {}
    assert judge.asked == [("haiku" if "haiku" in model else "opus", "s1")]
    assert [(one.status, one.dollars) for one in judge.entries] == [(424, None)]


def test_claude_and_a_count_of_tokens_are_never_judged() -> None:
    judge = Judge(BudgetVerdict(Step.STOP, "no"))

    judged(Inner(), judge, "claude-opus-5-5")
    judged(Inner(), judge, "openclaude-haiku", "/v1/messages/count_tokens")

    assert judge.asked == []


def test_a_braked_request_is_told_when_to_come_again() -> None:
    reply = judged(Inner(), Judge(BudgetVerdict(Step.WAIT, "too many", 17)), "openclaude-haiku")

    assert (reply.status, dict(reply.headers)[b"retry-after"]) == (429, b"17")


def test_claude_answers_then_with_the_login_and_its_own_id_only() -> None:
    inner = Inner()
    judge = Judge(BudgetVerdict(Step.CLAUDE, "used up"))

    judged(inner, judge, "openclaude-haiku", x=1.0)

    assert inner.scope["path"] == "/anthropic/v1/messages"
    assert inner.scope["state"]["raw"].startswith(b'{"model": "claude-haiku-5-5", "messages"')
    assert "authorization" in inner.header_names
    assert judge.entries[0].via == Via.BUDGET_CLAUDE


def test_claude_cannot_answer_then_where_its_limit_is_reached() -> None:
    both = Both(429, LIMIT)

    reply = judged(both, Judge(BudgetVerdict(Step.CLAUDE, "used up")), "claude-opus-5-5")

    assert (reply.status, both.asked) == (424, ["/anthropic/v1/messages"])


def test_another_model_answers_then() -> None:
    inner = Inner()
    judge = Judge(BudgetVerdict(Step.MODEL, "used up"))

    judged(inner, judge, "openclaude-haiku")

    assert inner.passed["model"] == CHEAP
    assert judge.entries[0].via == Via.BUDGET
    assert judged(Inner(), judge, CHEAP).status == 404  # it cannot be asked for


@pytest.mark.parametrize(
    ("status", "content", "is_told"),
    [(200, "hi", True), (500, "hi", False), (200, [{"type": "tool_result"}], False)],
)
def test_a_notice_goes_along_and_counts_as_told_if_a_person_read_it(
    status: int, content: Any, is_told: bool
) -> None:
    inner, verdict = Inner(status), BudgetVerdict(notice="[80 % \u2603]\n", key=("s1",))
    judge = Judge(verdict)

    judged(inner, judge, "openclaude-haiku", messages=[{"role": "user", "content": content}])

    headers = dict(inner.scope["headers"])
    assert headers[b"x-openclaude-notice"] == b"%5B80%20%25%20%E2%98%83%5D%0A"
    assert judge.shown == ([verdict] if is_told else [])


def test_nobody_else_can_have_something_said_in_front_of_an_answer() -> None:
    inner = Inner()

    route(
        inner,
        b'{"model":"openclaude-haiku"}',
        headers={**LOGIN, "x-openclaude-notice": "x", "x-openclaude-folder": "/home"},
    )

    assert not [name for name in inner.header_names if "openclaude" in name]
