"""Looks for a secret everywhere it must not be: files, requests, processes, memory.

Knows: the forms a secret can take, /proc. Independent of: which secret may be where.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from openclaude.standins.base.exchange import Recorded

MAP = re.compile(r"(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) rw")


def forms(secret: str) -> tuple[bytes, ...]:
    """Return a secret as it is, in hexadecimal, percent-encoded, and inside any base64 text."""
    plain = secret.encode()
    # what precedes it decides its alignment; the first and last characters are not its own
    encoded = (base64.b64encode(b"\0" * shift + plain)[4 : len(plain)] for shift in range(3))
    return (plain, plain.hex().encode(), quote(secret, safe="").encode(), *encoded)


def holds(content: bytes, secret: str) -> bool:
    """Tell whether a content contains a secret in any form."""
    return any(form in content for form in forms(secret))


def files_with(root: Path, secret: str, *, but: Iterable[Path] = ()) -> list[str]:
    """Return files under `root` with a secret in name or content, except in some folders."""
    allowed = tuple(str(path) for path in but)
    return [
        str(path)
        for path in sorted(root.rglob("*"))
        if not str(path).startswith(allowed or "\0")
        and (holds(os.fsencode(path), secret) or holds(content_of(path), secret))
    ]


def content_of(path: Path) -> bytes:
    """Return a regular file's bytes; nothing for anything else, or if it has just gone."""
    with contextlib.suppress(OSError):
        if path.is_file():
            return path.read_bytes()
    return b""


def requests_with(requests: Iterable[Recorded], secret: str) -> list[str]:
    """Return the requests that contain a secret anywhere."""
    return [
        f"{request.method} {request.target}"
        for request in requests
        if holds(request.target.encode(), secret)
        or holds(b"\n".join(name + b":" + value for name, value in request.headers), secret)
        or holds(request.body, secret)
    ]


def memory_holds(pid: int, secret: str) -> bool:
    """Tell whether a process has a secret in its memory, or had it and did not overwrite it."""
    return any(secret.encode() in part for part in memory(pid))


def memory(pid: int) -> Iterator[bytes]:
    """Yield a process's own memory, mapping by mapping. Raises PermissionError."""
    process = Path("/proc") / str(pid)
    with (process / "mem").open("rb", buffering=0) as file:
        for found in map(MAP.match, (process / "maps").read_text().splitlines()):
            if found:
                start, end = int(found["start"], 16), int(found["end"], 16)
                with contextlib.suppress(OSError, OverflowError):  # [vvar] and the like
                    file.seek(start)
                    yield file.read(end - start)
