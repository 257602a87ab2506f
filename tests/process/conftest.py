"""What the process tests share: a world of their own, and real plans with stubs for LiteLLM."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from openclaude.compile.compiler import compile_plan
from openclaude.compile.plan import Plan
from openclaude.places import find_places
from openclaude.profile.catalog import Catalog
from openclaude.profile.library import Library
from tests.process.world import World, stubbed

MakePlan = Callable[..., Plan]


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], Plan]:
    """The real plan of a shipped profile."""
    catalog = Catalog.bundled()
    places = find_places({"HOME": "/nonexistent"})
    library = Library(places.profiles, places.shipped, catalog=catalog)
    plans = {
        name: compile_plan(name, library.load(name, env={}).profile, catalog.find, made_by="tests")
        for name in ("base", "qwen")
    }
    return plans.__getitem__


def free_pair() -> int:
    """A port that is free, as is the next; none that the system gives to outgoing connections."""
    while True:
        port = 20_000 + 4 * secrets.randbelow(3000)
        with contextlib.suppress(OSError), bound(port), bound(port + 1):
            return port


def bound(port: int) -> socket.socket:
    """A socket on a loopback port."""
    found = socket.socket()
    try:
        found.bind(("127.0.0.1", port))
    except BaseException:
        found.close()
        raise
    return found


@pytest.fixture
def port() -> int:
    """The port that the plans of this test prefer."""
    return free_pair()


@pytest.fixture
def plan(compiled: Callable[[str], Plan], port: int) -> MakePlan:
    """Makes the plan of a shipped profile with stub units and what these are told."""

    def make(name: str = "qwen", **options: object) -> Plan:
        return stubbed(compiled(name), **{"port": port, **options})  # type: ignore[arg-type]

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The life of a stack is tested both ways of making its instances."""
    module = metafunc.module.__name__.rpartition(".")[2]
    needed = {"world", "empty_world", "method"} & set(metafunc.fixturenames)
    if needed and module.startswith(("test_stack_", "test_environments")):
        metafunc.parametrize("method", ["fork", "spawn"], indirect=True)


@pytest.fixture
def method(request: pytest.FixtureRequest) -> str:
    """How instances are made."""
    return str(getattr(request, "param", "fork"))


@pytest.fixture
def empty_world(method: str) -> Iterator[World]:
    """A home, a claude, nothing else."""
    made = World(method)
    yield made
    sys.stdout.write(made.tell())  # shown where the test failed
    made.close()


@pytest.fixture
def world(empty_world: World, plan: MakePlan) -> World:
    """The same with `qwen` compiled already, its units being stubs."""
    empty_world.keep(plan())
    return empty_world
