"""Pydantic's type adapters: the schema of each is built when it is first used, not when it is made.

Knows: what an adapter keeps of the module it is made in, and which adapters are the same.
Independent of: whose adapters they are. LiteLLM makes 2,500 while it is imported, most of them for
`dict[str, object]` and the like, and an instance uses few (measured with 1.108.14). Models stay as
they are: an instance of a model without a schema, made by another model's validator, cannot always
be written out (pydantic issue 13647).
"""

from __future__ import annotations

import contextlib
import logging
import threading
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import TypeAdapter
from pydantic._internal import _mock_val_ser

log = logging.getLogger("openclaude.late")

Build = Callable[..., bool]
SAVED = "rebuild"  # an attribute of the adapter, in front of the method that it calls to be built
# Types that look the same only if they are the same. An adapter of one is built at once, and shared
# with all that were made for the same type.
PLAIN = (object, str, int, float, bool, bytes, type(None), typing.Any)
MADE_OF = (dict, list, tuple, set, frozenset, Mapping, Sequence, typing.Union, types.UnionType)
# pydantic builds a model under such a lock, and an adapter under none
building = threading.RLock()


@contextlib.contextmanager
def late_adapters() -> Iterator[None]:
    """Delay what is made in the context; what is made after it is pydantic's alone.

    Neither is anything delayed with a pydantic that lacks what this uses of its inside (2.14).
    """
    build: Build | None = getattr(TypeAdapter, "_init_core_attrs", None)
    if not (build and hasattr(_mock_val_ser, "set_type_adapter_mocks")):
        yield
        return
    shared: dict[str, TypeAdapter[Any]] = {}

    def delay(self: TypeAdapter[Any], ns_resolver: Any, force: bool, **more: Any) -> bool:
        if force:
            return build(self, ns_resolver, force, **more)
        if self._config is None and is_plain(self._type):
            same = shared.setdefault(str(self._type), self)
            return take(same, self) if same is not self else build(self, ns_resolver, force, **more)
        # pydantic would look for names where the adapter is first used, not where it was made
        setattr(self, SAVED, partial(build_late, self, build, ns_resolver))
        _mock_val_ser.set_type_adapter_mocks(self)
        self.pydantic_complete = False
        return False

    TypeAdapter._init_core_attrs = delay  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        TypeAdapter._init_core_attrs = build  # type: ignore[method-assign]


def is_plain(kind: Any) -> bool:
    """Tell whether a type is made of Python's own ones only."""
    if typing.get_origin(kind) in MADE_OF:
        return all(is_plain(each) for each in typing.get_args(kind))
    return any(kind is each for each in (*PLAIN, ...))


def take(same: TypeAdapter[Any], adapter: TypeAdapter[Any]) -> bool:
    """Give an adapter what the other one has built, none of which is ever changed."""
    adapter.core_schema, adapter.validator = same.core_schema, same.validator
    adapter.serializer = same.serializer
    adapter.pydantic_complete = True
    return True


def build_late(adapter: TypeAdapter[Any], build: Build, namespace: Any, **more: Any) -> bool | None:
    """Build it with the names of the module it was made in.

    Where a name is not defined yet, pydantic looks for it as ever. Raises what the building raises.
    """
    with building:
        if adapter.pydantic_complete:
            return None
        vars(adapter).pop(SAVED, None)
        log.debug("adapter of %s: %s", adapter._module_name, adapter._type)
        return build(adapter, namespace, force=True) or adapter.rebuild(**deeper(more))


def deeper(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a rebuilding that looks for names in the frames of its caller's caller."""
    depth = options.get("_parent_namespace_depth", 2)
    return {**options, "_parent_namespace_depth": depth + 1 if depth > 0 else depth}
