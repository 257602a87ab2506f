"""FastAPI's routes: what a route needs to be served is made when it is first looked at.

Knows: what FastAPI makes of an endpoint's signature: schemas, patterns, a tree of dependencies.
Independent of: which routes there are. LiteLLM has 750 outside its late features, of which an
instance serves two; making the rest is an eighth of its import (measured with 1.108.14).
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import get_name

log = logging.getLogger("openclaude.late")

LATER = "_openclaude_later"
making = threading.RLock()


@contextlib.contextmanager
def late_routes() -> Iterator[None]:
    """Delay the routes that are added in the context; those stay late after it."""
    make: Callable[..., None] = APIRoute.__init__

    def delay(self: APIRoute, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if type(self) is not APIRoute or not callable(endpoint):
            make(self, path, endpoint, **options)
            return
        # all that is asked of a route whose path is not asked for
        self.path = path
        self.endpoint = endpoint
        name = options.get("name")
        self.name = get_name(endpoint) if name is None else name
        self.include_in_schema = options.get("include_in_schema", True)
        vars(self)[LATER] = (make, options)

    APIRoute.__init__ = delay  # type: ignore[method-assign]
    APIRoute.__getattr__ = made  # type: ignore[attr-defined]  # which asks for what is missing
    try:
        yield
    finally:
        APIRoute.__init__ = make  # type: ignore[method-assign]


def made(route: APIRoute, name: str) -> Any:
    """Make a route, and return an attribute of it. Raises AttributeError if it has no such."""
    with making:
        kept = dict(vars(route))
        if later := vars(route).pop(LATER, None):
            log.debug("route %s, for its %s", route.path, name)
            make, options = later
            try:
                make(route, route.path, route.endpoint, **options)
            except BaseException:
                vars(route).clear()
                vars(route).update(kept)  # it fails the next time as well, not only by half
                raise
    return object.__getattribute__(route, name)
