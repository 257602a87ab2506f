"""Packages that only pass on the names of their modules: each module is imported with its name.

Knows: how such a package is written (nothing but `from .module import Name as Name`), and how
Python asks a module for a name that it lacks (PEP 562). Independent of: what the names are for; the
packages' own files are unchanged. `openai.types` has 820 modules, which are a tenth of LiteLLM's
import; 380 of them are used by what an instance imports (measured with 2.54.0).
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any

Exports = Mapping[str, tuple[str, str]]  # by name: the module in the package, the name it has there
OF_SOURCE = importlib.machinery.SourceFileLoader


class LateExports(importlib.abc.MetaPathFinder):
    """Finds a package and everything below it, and delays what its packages pass on."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return what Python would find, with a loader of ours for a package that passes on."""
        if not f"{fullname}.".startswith(f"{self.package}."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec and spec.submodule_search_locations and type(spec.loader) is OF_SOURCE:
            spec.loader = PassingOn(fullname, str(spec.origin))
        return spec


class PassingOn(OF_SOURCE):
    """Loads a package of that kind; any other one as usual."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its names, each imported when it is first asked for."""
        exports = exports_in(self.get_data(self.path))
        if not exports:
            super().exec_module(module)
            return
        module.__dict__.update(
            __getattr__=partial(import_named, module, exports),
            __dir__=lambda: sorted({*module.__dict__, *exports}),
            __all__=[name for name in exports if not name.startswith("_")],
        )


def import_named(package: ModuleType, exports: Exports, name: str) -> Any:
    """Import what has a name, and keep it in the package.

    The modules themselves are names of it too, as they are once they were imported. Raises
    AttributeError for any other name, and what an import raises.
    """
    if name in exports:
        module, there = exports[name]
        value = getattr(importlib.import_module(f".{module}", package.__name__), there)
        setattr(package, name, value)
        return value
    if any(name == module.partition(".")[0] for module, _ in exports.values()):
        return importlib.import_module(f".{name}", package.__name__)
    raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}")


def exports_in(source: bytes) -> Exports:
    """Return what a package passes on; nothing if its file does anything besides.

    Nothing either if a name is also a module's: importing that module would set it.
    """
    exports: dict[str, tuple[str, str]] = {}
    for statement in ast.parse(source).body:
        match statement:
            case ast.ImportFrom(module="__future__"):
                continue
            case ast.ImportFrom(module=str(module), level=1):
                exports |= {
                    each.asname or each.name: (module, each.name) for each in statement.names
                }
            case _:
                return {}
    modules = {module.partition(".")[0] for module, _ in exports.values()}
    return {} if "*" in exports or modules & exports.keys() else exports


def delay_exports(package: str) -> None:
    """Delay what a package passes on, from now on; if it is imported already, it stays as it is."""
    is_known = any(
        isinstance(each, LateExports) and each.package == package for each in sys.meta_path
    )
    if package not in sys.modules and not is_known:
        sys.meta_path.insert(0, LateExports(package))
