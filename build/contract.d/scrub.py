"""Remove from a request what belongs to one run, one machine or one person, and nothing else.

Knows: what claude writes about its environment. Independent of: what a request is for. Each value
is replaced by one of the same kind, so that the request can be sent again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from itertools import count

NOBODY = "00000000-0000-4000-8000-000000000000"
OAUTH = "sk-ant-oat01-nobody"
# headers that belong to a connection, or that the sender must set itself
LEFT_OUT = frozenset({"host", "content-length", "connection", "x-litellm-api-key"})

FIXED: tuple[tuple[str, str], ...] = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", NOBODY),
    (r"\b[0-9a-f]{64}\b", "0" * 64),
    (r"sk-ant-o[ar]t01-[\w-]+", OAUTH),
    (r"(\\?\"signature\\?\":\s*\\?\")[A-Za-z0-9+/=]{16,}", r"\1c2lnbmF0dXJl"),
    (r"\b(cch=)[0-9a-f]+", r"\g<1>00000"),
    (r"(cc_version=\d+\.\d+\.\d+\.)[0-9a-f]+", r"\g<1>000"),
    (r"\b(127\.0\.0\.1|localhost):\d+", r"\1:4000"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "2026-01-01T00:00:00Z"),
    (r"(OS Version: )[^\\\n]+", r"\1Linux"),
    (r"(\bclaude-)\d+(/)", r"\g<1>0\2"),  # a folder of the temporary directory, by user id
    (r"(duration_ms\\?\":\s*)\d+", r"\g<1>0"),
)
# several may be in one request, and must stay distinct
NUMBERED = re.compile(
    r"\b(?:(toolu_01|tooluse_|msg_01|req_|call_)[A-Za-z0-9_-]{8,}|(a)[0-9a-f]{16}\b)"
)
DAYS = ("%Y-%m-%d", "%a %b %d %Y", "%B %Y", "%Y/%m/%d")


def replacements(places: Mapping[str, str]) -> dict[str, str]:
    """Return what is replaced literally: `places` (folders, longest first), and today's date."""
    slugs = {slug(name): slug(to) for name, to in places.items()}
    now = time.localtime()
    then = time.strptime("2026-01-01", "%Y-%m-%d")
    days = {time.strftime(form, now): time.strftime(form, then) for form in DAYS}
    return {**places, **slugs, **days}


def slug(path: str) -> str:
    """Return a folder's path as claude turns it into a name."""
    return re.sub(r"[^A-Za-z0-9]", "-", path)


def scrubbed(text: str, words: Mapping[str, str]) -> str:
    """Return a text without what belongs to this run."""
    for word, to in words.items():
        text = text.replace(word, to)
    for pattern, to in FIXED:
        text = re.sub(pattern, to, text)
    numbers: dict[str, str] = {}
    counted = count(1)

    def numbered(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], "") or number(found)

    def number(found: re.Match[str]) -> str:
        numbers[found[0]] = f"{found[1] or found[2]}{next(counted):0{22 if found[1] else 16}d}"
        return numbers[found[0]]

    return NUMBERED.sub(numbered, text)


def scrubbed_headers(
    headers: tuple[tuple[bytes, bytes], ...], words: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return a request's headers, without those of its connection."""
    read = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return tuple(
        (name, scrubbed(value, words)) for name, value in read if name.lower() not in LEFT_OUT
    )
