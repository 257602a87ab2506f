"""Strangers at a stack's doors: bodies, heads and control messages that no claude would send.

Knows: what is sent, drawn from a seed, and which answers are in order. Independent of: how long it
goes on, and what is measured meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
from typing import Any, NamedTuple

from openclaude.run.stack.folder import control_path
from tests.e2e import raw
from tests.e2e.house import House, login_headers
from tests.unit.gateway.replies.test_fuzz import changed

PATIENCE_S = 60.0  # an answer that takes longer is a hang
LOOK_S = 3.0  # for an answer to a head that may never be complete
MODELS = ("claude-opus-5-5", "openclaude-haiku", "openclaude-haiku", "claude-sonnet-5", "gpt-4")
TARGETS = (
    "/v1/messages?beta=true",
    "/v1/messages?beta=true",
    "/v1/messages",
    "/v1/messages/count_tokens?beta=true",
    "/v1/models",
    "/openclaude/who",
    "/api/event_logging/batch",
    "/../../etc/passwd",
)
BODY: dict[str, Any] = {
    "max_tokens": 1000,
    "system": [
        {"type": "text", "text": "You are helpful.", "cache_control": {"type": "ephemeral"}}
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a\nb"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
                },
                {"type": "text", "text": "and now?"},
            ],
        },
    ],
    "tools": [
        {
            "name": "Bash",
            "description": "d",
            "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}},
        }
    ],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 500},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["END"],
    "temperature": 1,
    "stream": False,
}
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"do": "status"},
    {"do": "join"},
    # without `inherited`: a launch with another environment has the units replaced, as it should
    {"do": "join", "session": [4242, "1"], "delay_s": 0.5},
)
HEADS = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    b"\r\n\r\n\r\n",
    b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://evil.example\r\n\r\n",
    b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x16\x03\x01\x00\x05hello",
    b"\x00" * 500,
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"x-a: b\r\n" * 3000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nx-a: " + b"b" * 200_000 + b"\r\n\r\n",
)
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
INSIDE = (b"Traceback (most recent call last)", b'File "/', b"litellm.", b"site-packages")


class Said(NamedTuple):
    """What a door has answered, and what was sent there."""

    sent: str
    status: int  # 0: nothing, or no HTTP
    body: bytes


class Stranger:
    """One client, all of whose doings follow from a seed."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)  # noqa: S311 - it must be the same every time
        record = house.record()
        self.port = int(record["port"])
        self.main_key = str(record["main_key"])
        login = login_headers(house.canaries.oauth)
        self.headers = raw.with_key(login, self.main_key)

    def step(self) -> str:
        """Do something; return what was wrong with the answer, or ""."""
        do = self.chance.choices((self.send_body, self.send_head, self.ask), (6, 3, 2))[0]
        return do()

    def send_body(self) -> str:
        """Send a request with the right key whose body is not quite one."""
        chance = self.chance
        document: Any = {**BODY, "model": chance.choice(MODELS), "stream": chance.random() < 0.5}
        for _ in range(chance.randrange(1, 4)):
            document = changed(document, chance)
        body = json.dumps(document).encode()
        if chance.random() < 0.15:
            body = body[: chance.randrange(len(body) + 1)]
        target = chance.choice(TARGETS)
        reply = raw.ask(self.port, self.headers, body, target=target)
        return self.judge(Said(f"{target} {body.decode()}", reply.status, reply.body))

    def send_head(self) -> str:
        """Send bytes without a key, perhaps not all of them, and perhaps wait for an answer."""
        chance = self.chance
        head = bytearray(chance.choice(HEADS))
        for _ in range(chance.choice((0, 0, 1, 3))):
            head[chance.randrange(len(head))] = chance.randrange(256)
        end = chance.choice((len(head), len(head), chance.randrange(len(head) + 1)))
        answer = b""
        with contextlib.suppress(OSError), raw.connect(self.port) as connection:
            connection.settimeout(LOOK_S)
            connection.sendall(head[:end])
            if chance.random() < 0.6:
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    answer += part
        found = STATUS.match(answer)
        return self.judge(
            Said(repr(bytes(head[:end][:300])), int(found[1]) if found else 0, answer)
        )

    def ask(self) -> str:
        """Say something to the supervisor that is not quite a question."""
        chance = self.chance
        document: Any = chance.choice(QUESTIONS)
        for _ in range(chance.randrange(3)):
            document = changed(document, chance)
        line = json.dumps(document).encode() + b"\n"
        if chance.random() < 0.3:
            line = chance.choice(
                (
                    b"\n",
                    b"[" * 50_000 + b"\n",
                    b"\xff\xfe\n",
                    b"9" * 6000 + b"\n",
                    line[:-3],
                    b"x" * 9,
                )
            )
        answer = b""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(control_path(self.house.folder)))
            with contextlib.suppress(ConnectionError):  # it has heard enough
                connection.sendall(line)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    answer += part
        if answer and not isinstance(json.loads(answer), dict):
            return f"{line[:300]!r} -> {answer[:300]!r}"
        return self.judge(Said(repr(line[:300]), 0, answer), is_ours=True)

    def judge(self, said: Said, *, is_ours: bool = False) -> str:
        """Return what is wrong with an answer."""
        wrong = []
        if said.status >= 500:
            wrong.append("an error of ours")
        if any(part in said.body for part in INSIDE):
            wrong.append("what only a developer needs")
        canaries = self.house.canaries
        secrets = [canaries.oauth, canaries.refresh, canaries.aws_secret]
        if not is_ours:  # the supervisor tells a launch the key; the socket is the user's own
            secrets.append(self.main_key)
        if any(secret.encode() in said.body for secret in secrets):
            wrong.append("a secret")
        if not wrong:
            return ""
        return f"{', '.join(wrong)}: {said.sent[:1500]} -> {said.status} {said.body[:700]!r}"
