"""Keeps the bodies of slots' requests for as long as the user has asked for that.

Knows: when it is on, what is kept of a request, that a request never waits for it or fails because
of it. Independent of: where a request goes: the router asks only on the slots' lane. Headers are
not kept, and credentials are taken out of bodies (`redact`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.gateway.errors.redact import without_secrets
from openclaude.gateway.http.asgi import Headers, Message, Send
from openclaude.gateway.http.sse import EventReader, read_event
from openclaude.ledger.recording import (
    FOLDER,
    MOST_BYTES,
    RecordingSwitch,
    count_recorded,
    read_switch,
    write_new,
)

log = logging.getLogger("openclaude.recording")
LOOK_S = 2.0  # between two looks whether a recording is asked for
MOST_PENDING = 20  # requests whose files are not written yet; more are not kept
LARGEST_REQUEST = 16 * 1024 * 1024  # bytes; of a longer one only its size is kept
LARGEST_REPLY = 4 * 1024 * 1024
CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"cookie", b"x-litellm-api-key"})


class RecordedRequest(NamedTuple):
    """What is known of one request when its file is written."""

    at: float
    said: dict[str, Any]  # of the request, beside its bodies
    request: bytes
    status: int
    reply: bytes
    is_whole: bool
    known: tuple[str, ...]  # credentials that came with it


class Recorder:
    """Whether bodies are kept now, and the keeping."""

    def __init__(
        self,
        folder: Path,
        known: Iterable[str],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder`: the ledger's. `known`: credentials of this process."""
        self.is_on = False
        self._folder = folder
        self._known = tuple(known)
        self.now = now
        self._monotonic = monotonic
        self._switch: RecordingSwitch | None = None
        self._deadline = 0.0  # of the monotonic clock: one that was set back does not prolong it
        self._pending = threading.BoundedSemaphore(MOST_PENDING)
        self._number = 0
        self._pool: ThreadPoolExecutor | None = None

    async def watch(self) -> None:
        """Look now and then whether a recording is asked for, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Begin or end."""
        switch = read_switch(self._folder, self.now())
        if switch != self._switch:
            self._switch = switch
            if switch:
                self._deadline = self._monotonic() + switch.until - self.now()
        was_on = self.is_on
        self.is_on = switch is not None and self._monotonic() < self._deadline and self._has_room()
        if self.is_on and not was_on:
            left = self._deadline - self._monotonic()
            log.warning("bodies of slots' requests are recorded for %.0f s", left)
        if was_on and not self.is_on:
            log.warning("bodies of slots' requests are recorded no longer")

    def _has_room(self) -> bool:
        return count_recorded(self._folder).size < MOST_BYTES

    def begin(
        self, send: Send, body: bytes, headers: Headers, said: dict[str, Any]
    ) -> KeptReply | None:
        """What keeps one request and its reply; None if time is up or too much is under way."""
        if self._monotonic() >= self._deadline:
            self.is_on = False
            return None
        if not self._pending.acquire(blocking=False):
            return None
        found = [value.decode("latin-1") for name, value in headers if name in CREDENTIALS]
        known = {*found, *(one.removeprefix("Bearer ") for one in found), *self._known}
        return KeptReply(self, send, body, said, tuple(sorted(known, key=len, reverse=True)))

    def keep(self, one: RecordedRequest) -> None:
        """Have its file written, by a thread."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._pool.submit(self._write, one)

    def _write(self, one: RecordedRequest) -> None:
        try:
            if read_switch(self._folder, one.at) is None:
                return  # the user has ended it meanwhile, and may have removed what there was
            content = json.dumps(document_of(one), indent=1, ensure_ascii=False).encode(
                "utf-8", "backslashreplace"
            )
            if count_recorded(self._folder).size + len(content) <= MOST_BYTES:
                place = self._folder / FOLDER
                place.mkdir(mode=0o700, exist_ok=True)
                self._number += 1
                stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(one.at))
                write_new(place / f"{stamp}-{os.getpid()}-{self._number:05}.json", content)
        except Exception as error:  # noqa: BLE001 - a strange body must not end the thread
            log.warning("a request could not be recorded: %s", type(error).__name__)
        finally:
            self._pending.release()


class KeptReply:
    """The `send` of one recorded request."""

    def __init__(
        self,
        recorder: Recorder,
        send: Send,
        body: bytes,
        said: dict[str, Any],
        known: tuple[str, ...],
    ) -> None:
        self._recorder = recorder
        self._send = send
        self._body = body
        self._said = said
        self._known = known
        self._at = recorder.now()
        self._status = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._is_whole = False

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, and keep it."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            part = message.get("body", b"")
            self._size += len(part)
            if self._size <= LARGEST_REPLY:
                self._parts.append(part)
            self._is_whole = not message.get("more_body", False)
        await self._send(message)

    def end(self) -> None:
        """The request has ended, in whichever way."""
        self._recorder.keep(
            RecordedRequest(
                at=self._at,
                said=self._said,
                request=self._body,
                status=self._status,
                reply=b"".join(self._parts),
                is_whole=self._is_whole and self._size <= LARGEST_REPLY,
                known=self._known,
            )
        )


def document_of(one: RecordedRequest) -> dict[str, Any]:
    """What is written of a request."""
    return {
        "at": one.at,
        **one.said,
        "status": one.status,
        "is_whole": one.is_whole,
        "request": without_secrets(request_of(one.request), one.known),
        "reply": without_secrets(reply_of(one.reply), one.known),
    }


def request_of(body: bytes) -> Any:
    """The body of a request as JSON."""
    if len(body) > LARGEST_REQUEST:
        return f"({len(body)} bytes)"
    return json.loads(body)


def reply_of(body: bytes) -> Any:
    """A reply as JSON; the pieces of a stream are put together.

    A credential may be in two pieces of a stream, and would not be seen in either.
    """
    if body.lstrip()[:1] == b"{":
        try:
            return json.loads(body)
        except ValueError:
            return body.decode("utf-8", "replace")
    reader = EventReader()
    whole: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for frame in reader.feed(body):
        if event := read_event(frame):
            add_event(event, whole, blocks)
    return {**whole, "content": [blocks[index] for index in sorted(blocks)]}


def add_event(event: dict[str, Any], whole: dict[str, Any], blocks: dict[int, Any]) -> None:
    """Add one event of a stream to the message and its blocks."""
    index = event.get("index", 0)
    match event.get("type"):
        case "message_start":
            whole.update(event["message"])
        case "content_block_start":
            blocks[index] = dict(event["content_block"])
        case "content_block_delta":
            block = blocks.setdefault(index, {})
            for name, piece in event["delta"].items():
                if name != "type" and isinstance(piece, str):
                    block[name] = block.get(name, "") + piece
        case "message_delta":
            whole.update(event.get("delta") or {})
            whole["usage"] = {**(whole.get("usage") or {}), **(event.get("usage") or {})}
        case "error":
            whole["error"] = event.get("error")
