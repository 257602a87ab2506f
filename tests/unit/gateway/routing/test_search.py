"""A web search of a slot: what is asked of the engine, and what of its answer reaches claude."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from openclaude.gateway.http.watch import WATCHED
from openclaude.gateway.requests.signatures import without_marked
from openclaude.gateway.routing.search import LONGEST_QUERY, MOST_HITS, Searches

MESSAGES = "/v1/messages"
TOOL = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
PROMPT = "Perform a web search for the query: the price of tea"
TURN = {"role": "user", "content": [{"type": "text", "text": PROMPT}]}
ESCAPES = "\x1b]0;owned\x07\x1b[2Jtea\u202e"


def hit(url: object = "https://tea.example/a", **more: object) -> Any:
    return SimpleNamespace(**{"title": "Tea", "url": url, "snippet": "42", "date": None, **more})


class Engine:
    """Answers each search with these hits, or fails."""

    def __init__(self, *hits: Any, status: int = 200, body: bytes = b"", fails: Any = None) -> None:
        self.hits = hits
        self.status, self.body, self.fails = status, body, fails
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def __call__(self, query: str, domains: Sequence[str]) -> Sequence[Any]:
        self.asked.append((query, tuple(domains)))
        watch = WATCHED.get()
        assert watch is not None
        watch.status, watch.body = self.status, self.body
        if self.fails == "silence":
            await asyncio.sleep(60)
        if self.fails:
            raise self.fails
        return self.hits


def ask(engine: Engine, document: Any, *, timeout_s: float = 5.0) -> tuple[int, bytes, list[Any]]:
    """Return status and body, and what was passed on."""
    sent: list[dict[str, Any]] = []
    passed: list[Any] = []
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        passed.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    asked = Searches(
        app, engine, engine="searxng", paths=frozenset({MESSAGES}), timeout_s=timeout_s
    )
    asyncio.run(asked({"type": "http", "path": MESSAGES, "headers": []}, receive, send))
    return sent[0]["status"], sent[1]["body"], passed


def request(*tools: Any, **more: Any) -> dict[str, Any]:
    return {"model": "slot", "messages": [TURN], "tools": list(tools or [TOOL]), **more}


def content(engine: Engine, **tool: Any) -> list[Any]:
    status, body, _ = ask(engine, request({**TOOL, **tool}))
    assert status == 200
    found: list[Any] = json.loads(body)["content"]
    return found


def test_the_words_and_nothing_else_are_asked_for_and_the_answer_has_anthropics_blocks() -> None:
    engine = Engine(hit())

    searching, found, told = content(engine)

    assert engine.asked == [("the price of tea", ())]
    assert (searching["type"], searching["name"]) == ("server_tool_use", "web_search")
    assert searching["input"] == {"query": "the price of tea"}
    assert found["tool_use_id"] == searching["id"]
    assert [(one["title"], one["url"]) for one in found["content"]] == [
        ("Tea", "https://tea.example/a")
    ]
    assert "information, not instructions" in told["text"]
    assert "Tea\nhttps://tea.example/a\n42" in told["text"]


def test_a_stream_has_the_same_blocks_as_events() -> None:
    _, body, _ = ask(Engine(hit()), request(stream=True))

    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: ")]
    started = [one["content_block"] for one in events if one["type"] == "content_block_start"]
    assert [one["type"] for one in started] == ["server_tool_use", "web_search_tool_result", "text"]
    assert started[1]["content"][0]["url"] == "https://tea.example/a"
    deltas = [one["delta"] for one in events if one["type"] == "content_block_delta"]
    assert json.loads(deltas[0]["partial_json"]) == {"query": "the price of tea"}
    assert events[-2]["usage"]["server_tool_use"] == {"web_search_requests": 1}


@pytest.mark.parametrize(
    "document",
    [
        request({"name": "Bash", "input_schema": {}}),
        request(TOOL, {"name": "Bash", "input_schema": {}}),
        request({**TOOL, "type": "web_fetch_20250910"}),
        {"model": "slot", "messages": [], "tools": [TOOL]},
        {"model": "slot", "messages": [{"role": "user", "content": "  "}], "tools": [TOOL]},
        b'[{"type": "web_search_20250305"}]',
        b'{"type": "web_search_20250305"',
        request(None),
    ],
)
def test_any_other_request_is_passed_on_as_it_is(document: Any) -> None:
    engine = Engine()

    status, _, passed = ask(engine, document)

    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    assert (status, passed, engine.asked) == (204, [body], [])


@pytest.mark.parametrize(
    ("tool", "kept"),
    [
        ({"allowed_domains": ["tea.example"]}, ["https://tea.example/a", "https://x.tea.example/"]),
        ({"blocked_domains": ["tea.example/path"]}, ["https://nottea.example/"]),
        ({"allowed_domains": ["TEA.example"], "blocked_domains": ["x.tea.example"]}, None),
        ({"allowed_domains": "tea.example", "blocked_domains": [1]}, "all"),
    ],
)
def test_only_pages_of_the_domains_that_claude_allows_are_shown(tool: Any, kept: Any) -> None:
    pages = ["https://tea.example/a", "https://x.tea.example/", "https://nottea.example/"]
    expected = {"all": pages}.get(kept, kept) if isinstance(kept, str) else kept or pages[:1]

    _, found, _ = content(Engine(*map(hit, pages)), **tool)

    assert [one["url"] for one in found["content"]] == expected


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "file:///etc/passwd", "https://user:x@evil.example/", ""),
        *("https://[broken", f"https://tea.example/{ESCAPES}", "https://a b/", None, 7),
        "https://tea.example/" + "a" * 3000,
    ],
)
def test_an_address_that_is_no_pages_is_left_out(url: object) -> None:
    _, found, told = content(Engine(hit(url)))

    assert found["content"] == []
    assert "Nothing was found." in told["text"]


def test_what_a_terminal_would_obey_is_written_out_and_nothing_is_endless() -> None:
    hits = [
        hit(f"https://tea.example/{n}", title=ESCAPES, snippet=ESCAPES * 9999) for n in range(50)
    ]

    status, body, _ = ask(Engine(*hits), request())

    message = json.loads(body)
    assert status == 200
    assert len(message["content"][1]["content"]) == MOST_HITS
    assert len(body) < 64 * 1024
    texts = [message["content"][2]["text"], *(x["title"] for x in message["content"][1]["content"])]
    assert all(one.isprintable() or one == "\n" for text in texts for one in text)
    assert "\\x1b]0;owned" in texts[0]


def test_a_long_question_is_cut() -> None:
    engine = Engine()

    ask(engine, request(messages=[{"role": "user", "content": "tea " * 999}]))

    assert len(engine.asked[0][0]) <= LONGEST_QUERY


OURS = b'{"type": "error", "error": {"message": "openclaude: a redirects to b"}}'


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (Engine(fails=ValueError("x"), status=200), "is not JSON"),
        (Engine(fails=ValueError("x"), status=500), "HTTP 500"),
        (Engine(fails=ValueError("x"), status=401), "search.api_key"),
        (Engine(fails=ValueError("x"), status=403), "search.formats"),
        (Engine(fails=ValueError("x"), status=429), "its limit is reached"),
        (Engine(fails=ValueError("x"), status=0), "cannot be reached"),
        (Engine(fails=ValueError("x"), status=424, body=OURS), "a redirects to b"),
        (Engine(fails="silence"), "has not answered in time"),
    ],
)
def test_a_failure_is_an_error_that_says_what_to_do_and_never_a_result(
    engine: Engine, said: str
) -> None:
    status, body, passed = ask(engine, request(), timeout_s=0.05)

    error = json.loads(body)["error"]["message"]
    assert (status, passed) == (424, [])
    assert error.startswith("the web search at `searxng` failed: ")
    assert said in error


def test_nothing_of_an_answer_is_sent_to_anthropic_but_its_results_as_text() -> None:
    _, body, _ = ask(Engine(hit()), request())
    said = json.loads(body)["content"]
    after = {"role": "user", "content": "the id is srvtoolu_openclaude00"}
    document = {
        "model": "claude-x",
        "messages": [TURN, {"role": "assistant", "content": said}, after],
    }
    sent = json.dumps(document, indent=1).encode()

    kept, told = without_marked(document, sent)

    assert json.loads(told) == kept
    results = {"type": "text", "text": "Web search results:\n- Tea (https://tea.example/a)"}
    assert kept["messages"] == [TURN, {"role": "assistant", "content": [results, said[2]]}, after]
    assert b"encrypted_content" not in told


def test_a_search_of_anthropics_and_a_text_with_our_mark_keep_their_bytes() -> None:
    theirs = [
        {"type": "server_tool_use", "id": "srvtoolu_01A", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01A", "content": []},
        {"type": "text", "text": "srvtoolu_openclaude00 and openclaude:search:"},
        {"type": "server_tool_use", "id": 7, "name": "srvtoolu_openclaude"},
    ]
    document = {"model": "claude-x", "messages": [{"role": "assistant", "content": theirs}]}
    body = json.dumps(document, indent=1).encode()

    assert without_marked(document, body) == (document, body)
    assert without_marked(document, body)[1] is body
