"""The group of a sampled stack."""

from __future__ import annotations

import pytest

from tests.bench.grouping import (
    CLIENT,
    GROUPS,
    JSON,
    LITELLM,
    OTHER,
    OURS,
    SERVER,
    WIRE,
    group_of,
    heaviest,
    shares,
)

SITE = "/venv/lib/python3.11/site-packages"
LIBRARY = "/usr/lib/python3.11"


@pytest.mark.parametrize(
    ("stack", "group"),
    [
        ((f"{SITE}/litellm/main.py:completion", f"{SITE}/uvicorn/server.py:run"), LITELLM),
        ((f"{LIBRARY}/copy.py:deepcopy", f"{SITE}/litellm/utils.py:f"), LITELLM),
        ((f"{LIBRARY}/json/decoder.py:decode", f"{SITE}/litellm/utils.py:f"), JSON),
        ((f"{LIBRARY}/asyncio/runners.py:run", f"{SITE}/uvicorn/server.py:run"), WIRE),
        (("/home/me/openclaude/gateway/routing/router.py:raw",), OURS),
        ((f"{SITE}/openclaude/gateway/routing/router.py:raw",), OURS),
        ((f"{SITE}/httpx/_client.py:send",), CLIENT),
        ((f"{SITE}/starlette/routing.py:app",), SERVER),
        ((f"{SITE}/somebody/else.py:f", f"{SITE}/litellm/utils.py:f"), OTHER),
        ((f"{LIBRARY}/threading.py:run",), OTHER),
    ],
)
def test_the_innermost_frame_that_is_anybodys_decides(stack: tuple[str, ...], group: str) -> None:
    assert group_of(stack) == group


def test_shares_make_one_and_name_every_group() -> None:
    found = shares([(3, [f"{SITE}/litellm/a.py:f"]), (1, ["/x/openclaude/b.py:g"])])

    assert found[LITELLM] == 0.75
    assert found[OURS] == 0.25
    assert tuple(found) == GROUPS
    assert sum(found.values()) == 1


def test_nothing_sampled_is_nothing_of_anybodys() -> None:
    assert set(shares([]).values()) == {0}


def test_a_function_that_calls_itself_counts_once_in_a_stack() -> None:
    stacks = [(3, ["a.py:f", "a.py:f", "b.py:g"]), (1, ["b.py:g"])]

    assert heaviest(stacks, 2) == [("b.py:g", 1.0), ("a.py:f", 0.75)]
