"""Modules that are loaded when something of them is first asked for, or not at all.

Knows: how Python loads a module. Independent of: which modules; each is loaded once, in the thread
that asks first, and the others wait. For a module of which others only keep the name: `from module
import name` asks for something at once.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from types import ModuleType
from typing import Any

log = logging.getLogger("openclaude.late")

OF_SOURCE = importlib.machinery.SourceFileLoader
ASK = "__getattr__"
loading = threading.RLock()


class LateModule(importlib.abc.MetaPathFinder):
    """Finds one module, which may have none below it, and delays it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return what Python would find, with a loader of ours."""
        if fullname != self.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec and type(spec.loader) is OF_SOURCE and not spec.submodule_search_locations:
            spec.loader = Later(fullname, str(spec.origin))
        return spec


class Later(OF_SOURCE):
    """Loads a module when something of it is asked for."""

    is_loading = False

    def exec_module(self, module: ModuleType) -> None:
        """Load nothing yet."""
        vars(module)[ASK] = partial(self.load_for, module)

    def load_for(self, module: ModuleType, name: str) -> Any:
        """Load the module, and return something of it.

        Raises AttributeError if it has no such, and what its loading raises, each time it is tried.
        """
        with loading:
            asking = vars(module).get(ASK)
            if self.is_loading:  # it asks for something of its own before that is there
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r} yet")
            if isinstance(asking, partial) and asking.func == self.load_for:
                log.debug("module %s, for its %s", module.__name__, name)
                self.is_loading = True
                try:
                    super().exec_module(module)
                finally:
                    self.is_loading = False
                if vars(module).get(ASK) is asking:
                    del vars(module)[ASK]
        return getattr(module, name)


@contextlib.contextmanager
def late_module(name: str) -> Iterator[None]:
    """Delay a module that is first imported in the context."""
    finder = LateModule(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextlib.contextmanager
def absent_module(name: str) -> Iterator[None]:
    """Let a module seem to be absent in the context, for a package that can do without.

    This is what None in `sys.modules` means (Python's documentation).
    """
    is_new = name not in sys.modules
    if is_new:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if is_new and sys.modules.get(name) is None:
            del sys.modules[name]
