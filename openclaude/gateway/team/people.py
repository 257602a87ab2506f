"""Access control where other machines ask: a key for each person, known by its digest alone.

Knows: the file of people, the routes, which credentials may arrive. Independent of: models,
LiteLLM, TLS. A login of claude's never belongs here: a request that brings one is refused and not
passed on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from openclaude.contracts.local_request import OF_A_BROWSER
from openclaude.contracts.team.people import Person, read_people
from openclaude.contracts.worker import ADMIT, DRAINING
from openclaude.gateway.http.access import Route, no_matter
from openclaude.gateway.http.asgi import (
    App,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    answer_error,
    send_json,
)
from openclaude.gateway.http.shutdown import run_until_answered

LONGEST_FILE = 1 << 20  # bytes
LIVENESS, READINESS, MODELS = "/health/liveness", "/health/readiness", "/v1/models"
PERSON = "openclaude.person"  # the item of a request's scope that says who asks
HEALTH = frozenset({LIVENESS, READINESS})
REFUSED = "this key is not accepted here, or no longer; ask whoever runs this server"
STRANGE = "a credential that is not a key of this server reached it; it was not used"


class People:
    """Who may ask: the digests of a file that is looked at for each request.

    A line that is removed counts no more from the next request on, and limits that are changed hold
    from then on. `note` is told why nobody is let in, once, if the file is removed or broken.
    """

    def __init__(self, path: Path, note: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._note = note
        self._problem = ""
        self._seen: tuple[int, int, int] | None = None
        self._people: Mapping[str, Person] = {}

    def person_of(self, key: bytes) -> Person | None:
        """Return whose key this is; None for an unknown one."""
        return self._known().get(hashlib.sha256(key).hexdigest())

    def _known(self) -> Mapping[str, Person]:
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
            if seen != self._seen:
                with self._path.open("rb") as file:
                    self._people = read_people(file.read(LONGEST_FILE).decode())
                self._seen, self._problem = seen, ""
        except (OSError, ValueError) as error:
            self._people, self._seen = {}, None  # removed or broken: nobody is let in
            problem = (isinstance(error, OSError) and error.strerror) or str(error)
            if problem != self._problem:
                self._note(f"nobody is let in: `{self._path}` cannot be used: {problem}")
            self._problem = problem
        return self._people


class PeopleAccess:
    """An ASGI application that passes on the messages of people with a key.

    It answers itself for its health, which needs no key, and for the models that it serves.
    """

    def __init__(
        self,
        app: App,
        people: People,
        *,
        routes: frozenset[Route],
        models: Iterable[str],
        key_headers: tuple[bytes, ...],
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`note` is told who was refused, or has asked for the models; never a key.

        `app` finds in a request's scope who asks.
        """
        self.app = app
        self.people = people
        self.routes = routes
        self.models = tuple(models)
        self.key_headers = key_headers
        self.note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, closing(send) if is_ending(scope) else send)
        else:  # websocket: not served here
            await send({"type": "websocket.close", "code": 1008})

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        is_browser = any(name in OF_A_BROWSER for name, _ in scope["headers"])
        if method in ("GET", "HEAD") and path in HEALTH:
            # connections are accepted only once LiteLLM has read its config
            ready = path == LIVENESS or not is_ending(scope)
            said = b'{"status": "ok"}' if ready else b'{"status": "ending"}'
            await send_json(send, 200 if ready else 503, b"" if method == "HEAD" else said)
            return
        is_known = (method, path) in self.routes or (method, path) == ("GET", MODELS)
        if is_browser or not is_known:
            await answer_error(send, 404, f"openclaude does not serve `{method} {path}`")
            return
        given = self.credentials(scope["headers"])
        found = [self.people.person_of(key) for key in given]
        names = [person.name if person else "" for person in found]
        peer = str((scope.get("client") or ("?",))[0])
        if not any(names):
            self.note(f"{peer}: refused, no known key")
            await answer_error(send, 401, REFUSED)
        elif not all(names):
            self.note(f"{peer}: refused, {max(names)} sent another credential beside the key")
            await answer_error(send, 424, STRANGE)
        else:
            scope.pop(ADMIT, no_matter)()
            if path == MODELS:
                self.note(f"{peer}: {names[0]} {method} {path}")
                await send_json(send, 200, self.list_of_models())
            else:
                scope[PERSON] = found[0]
                await run_until_answered(self.app, scope, receive, send)

    def credentials(self, headers: Headers) -> list[bytes]:
        """Return what a request shows to be let in."""
        return [
            value.removeprefix(b"Bearer ") for name, value in headers if name in self.key_headers
        ]

    def list_of_models(self) -> bytes:
        """Return the models that can be asked for, as Anthropic's API lists them."""
        data = [{"type": "model", "id": name, "display_name": name} for name in self.models]
        return json.dumps({"data": data, "has_more": False}).encode()


def is_ending(scope: Scope) -> bool:
    """Tell whether the instance has been told to end, and takes the last requests."""
    return bool(scope.get("state", {}).get(DRAINING))


def closing(send: Send) -> Send:
    """Say with a reply that its connection ends: the next request must go to another replica."""

    async def say(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await send(message)

    return say
