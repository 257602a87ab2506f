"""What the process tests share: a world of their own, and real plans with stubs for LiteLLM."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from openclaude.compile.compiler import compile_plan
from openclaude.contracts.plan import Plan
from openclaude.models.catalog import Catalog
from openclaude.paths import find_places
from openclaude.profile.library import Library
from tests.conftest import NOWHERE, variant
from tests.degraded import fallbacks
from tests.process.world import World, stubbed

MakePlan = Callable[..., Plan]


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], Plan]:
    """Return the real plan of a built-in profile."""
    catalog = Catalog.bundled()
    places = find_places({"HOME": NOWHERE})
    library = Library(places.profiles, places.shipped, catalog=catalog)
    plans = {
        name: compile_plan(name, library.load(name, env={}).profile, catalog.find, made_by="tests")
        for name in ("base", "qwen")
    }
    return plans.__getitem__


def free_pair() -> int:
    """Return a free port, with a free next one; not in the range for outgoing connections."""
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
    """Make the plan of a built-in profile with stub units and their settings."""

    def make(name: str = "qwen", **options: object) -> Plan:
        return stubbed(compiled(name), **{"port": port, **options})  # type: ignore[arg-type]

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Test the life of a stack with both ways of starting its instances.

    The second is for machines where the first fails; its tests are a part of their own.
    """
    module = metafunc.module.__name__.rpartition(".")[2]
    needed = {"world", "empty_world", "method"} & set(metafunc.fixturenames)
    if needed and module.startswith(("test_stack_", "test_environments")):
        second = variant("spawn")
        metafunc.parametrize("method", ["fork", second], indirect=True)


@pytest.fixture
def method(request: pytest.FixtureRequest) -> str:
    """How instances are started."""
    return str(getattr(request, "param", "fork"))


@pytest.fixture
def empty_world(method: str) -> Iterator[World]:
    """A home and a claude, nothing else."""
    made = World(method)
    yield made
    sys.stdout.write(made.tell())  # displayed if the test fails
    lost = [] if made.expects_fallback else fallbacks(made.state)
    made.close()
    assert not lost, f"a stack could not fork, and the test has not noticed: {lost}"


@pytest.fixture
def world(empty_world: World, plan: MakePlan) -> World:
    """The same with `qwen` already compiled; its units are stubs."""
    empty_world.keep(plan())
    return empty_world
