"""A module that is loaded later is the same module; one that seems absent is there afterwards."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.gateway.late.modules import absent_module, late_module

NAME = "openclaude_of_the_test"
TEXT = """
import builtins
import sys

builtins.openclaude_loaded += 1
early = hasattr(sys.modules[__name__], "here")
here = 1
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a module, which counts how often it is run."""
    path = tmp_path / f"{NAME}.py"
    path.write_text(TEXT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.openclaude_loaded", 0, raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield path
    sys.modules.pop(NAME, None)


def loaded() -> int:
    """Return how often the module was run."""
    import builtins

    return int(builtins.openclaude_loaded)  # type: ignore[attr-defined]


def test_a_module_is_loaded_when_something_of_it_is_asked_for(source: Path) -> None:
    with late_module(NAME):
        found = importlib.import_module(NAME)
    assert (loaded(), found.__file__, found.__name__) == (0, str(source), NAME)

    assert found.here == 1
    assert (loaded(), found.early) == (1, False)
    assert importlib.import_module(NAME) is found
    assert "__getattr__" not in vars(found)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = found.nothing
    assert loaded() == 1


def test_threads_that_ask_first_load_it_once_and_wait(source: Path) -> None:
    with late_module(NAME):
        found = importlib.import_module(NAME)
    together = threading.Barrier(8)
    seen: list[int] = []

    def ask() -> None:
        together.wait()
        seen.append(found.here)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [1] * 8
    assert loaded() == 1


def test_another_thread_waits_until_it_is_loaded_to_the_end(source: Path) -> None:
    source.write_text(
        "import builtins\nbuiltins.openclaude_loaded += 1\n"
        "import threading\nfirst = 1\nother = threading.Thread(target=builtins.openclaude_ask)\n"
        "other.start()\nbuiltins.openclaude_asks.wait()\nlast = 1\n"
    )
    import builtins

    with late_module(NAME):
        found = importlib.import_module(NAME)
    asks, seen = threading.Event(), []

    def ask() -> None:
        asks.set()
        seen.append(found.last)

    builtins.openclaude_ask, builtins.openclaude_asks = ask, asks  # type: ignore[attr-defined]
    try:
        other = found.other
    finally:
        del builtins.openclaude_ask, builtins.openclaude_asks  # type: ignore[attr-defined]
    other.join()

    assert seen == [1]


def test_what_its_loading_raises_is_raised_each_time(source: Path) -> None:
    source.write_text("raise OSError('no library')\n")
    with late_module(NAME):
        found = importlib.import_module(NAME)

    for _ in range(2):
        with pytest.raises(OSError, match="no library"):
            _ = found.here
    source.write_text(TEXT + "# of another size\n")
    importlib.invalidate_caches()
    assert found.here == 1


def test_a_name_of_its_own_may_ask_for_names(source: Path) -> None:
    source.write_text("here = 1\ndef __getattr__(name):\n    return name\n")
    with late_module(NAME):
        found = importlib.import_module(NAME)

    assert (found.here, found.anything) == (1, "anything")


def test_other_modules_and_later_imports_are_as_ever(source: Path) -> None:
    with late_module("openclaude_another"):
        importlib.import_module(NAME)

    assert loaded() == 1
    assert not any("LateModule" in type(finder).__name__ for finder in sys.meta_path)


@pytest.mark.usefixtures("source")
def test_a_module_seems_absent_and_is_there_afterwards() -> None:
    with absent_module(NAME), pytest.raises(ModuleNotFoundError):
        importlib.import_module(NAME)

    assert importlib.import_module(NAME).here == 1
    with absent_module(NAME):  # what is imported already stays
        assert importlib.import_module(NAME).here == 1
    assert NAME in sys.modules
