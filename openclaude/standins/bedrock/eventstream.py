"""AWS event-stream frames, as a Converse stream is made of.

Knows: the framing (lengths, headers, two checksums). Independent of: what the events mean.

    total length u32 | headers length u32 | CRC32 of both | headers | payload | CRC32 of all
    header: name length u8 | name | 7 (a string) | value length u16 | value
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

STRING = 7
OVERHEAD = 16  # two lengths, two checksums


def event_frame(kind: str, payload: Mapping[str, Any]) -> bytes:
    """Return one event of a stream."""
    return _frame({":event-type": kind, ":message-type": "event"}, payload)


def exception_frame(kind: str, message: str) -> bytes:
    """Return an error inside a stream."""
    headers = {":exception-type": kind, ":message-type": "exception"}
    return _frame(headers, {"message": message})


def _frame(named: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    headers = b"".join(
        _header(name, value)
        for name, value in (*named.items(), (":content-type", "application/json"))
    )
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    prelude = struct.pack("!II", OVERHEAD + len(headers) + len(body), len(headers))
    start = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return start + struct.pack("!I", zlib.crc32(start))


def _header(name: str, value: str) -> bytes:
    raw_name, raw_value = name.encode(), value.encode()
    length = struct.pack("!B", len(raw_name))
    return length + raw_name + struct.pack("!BH", STRING, len(raw_value)) + raw_value
