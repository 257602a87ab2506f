"""Before the fork: no thread of LiteLLM's is left, and its pools still accept work."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from openclaude.gateway.litellm import forking, names

LISTING = "litellm_made_up_listing"
PREFIX = "made-up-listing"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a module of LiteLLM's with a used pool, and without anything else that is checked."""
    made = ModuleType(LISTING)
    vars(made).update(POOL=ThreadPoolExecutor(3, PREFIX))
    made.POOL.submit(lambda: None).result()
    monkeypatch.setitem(sys.modules, LISTING, made)
    monkeypatch.setattr(
        forking, "POOLS", {LISTING: ("POOL", "GONE"), "litellm_not_imported": ("X",)}
    )
    return made


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(PREFIX)]


def test_a_pool_that_has_worked_leaves_no_thread_and_works_again(module: ModuleType) -> None:
    assert len(workers()) == 1

    forking.renew_pools()

    assert workers() == []
    assert module.POOL.submit(lambda: "done").result() == "done"
    assert module.POOL._max_workers == 3
    module.POOL.shutdown()


def test_a_pool_is_looked_for_where_a_litellm_has_it() -> None:
    """If it moves, the forkserver reports it: it refuses to fork with an unknown thread."""
    assert names.POOLS == {"litellm.proxy.auth.model_checks": ("_MODEL_LISTING_POOL",)}
