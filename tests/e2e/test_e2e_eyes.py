"""A tier that sees nothing has images described by another model; Claude's own way is untouched."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.canaries import requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import House

PROFILE = "eyes"
QWEN, NOVA = "qwen.qwen3-next-80b-a3b", "amazon.nova-lite-v1:0"
ALLOWED = ("--allowedTools", "Read")


def png() -> bytes:
    """A red image of 16 x 16."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    lines = b"".join(b"\0" + b"\xff\0\0" * 16 for _ in range(16))
    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@pytest.fixture(scope="module")
def seeing(build_house: Build) -> Iterator[House]:
    """A house whose haiku sees nothing, and names who does."""
    with build_house("eyes") as house:
        house.write_own_profile(
            PROFILE,
            f"""
[tiers.haiku]
model = "bedrock/{QWEN}"
vision = "bedrock/{NOVA}"
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{house.bedrock_url}"
""",
        )
        (house.project / "red.png").write_bytes(png())
        yield house


def test_an_image_that_claude_reads_is_described_once_as_it_is_printed_and_written_down(
    seeing: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    read = script.tool("Read", {"file_path": str(seeing.project / "red.png")})
    prompt = read + script.then(read) + script.then(script.say("seen twice"))
    more = ("--output-format", "json", *ALLOWED)

    ran = seeing.openclaude("-p", prompt, "--model", "haiku", *more, profile=PROFILE)
    back = ("--resume", ran.json()["session_id"], *ALLOWED)
    plan = seeing.openclaude(
        "-p", script.say("and back"), "--model", "opus", *back, profile=PROFILE
    )

    assert (ran.json()["result"], plan.out) == ("seen twice", "and back\n")
    described = [one for one in bedrock.requests if one.model_id == NOVA]
    (image,) = [b for b in described[0].json()["messages"][0]["content"] if "image" in b]
    shown = image["image"]["source"]["bytes"]
    assert base64.b64decode(shown).startswith((b"\x89PNG", b"\xff\xd8"))
    assert len(described) == 1, "both times it is the same image"
    answered = [one for one in bedrock.requests if one.model_id == QWEN]
    blocks = [b for turn in answered[-1].json()["messages"] for b in turn["content"]]
    results = [json.dumps(b["toolResult"]) for b in blocks if "toolResult" in b]
    assert len(results) == 2
    for result in results:
        assert f"[image described by bedrock/{NOVA}. What follows, up to " in result
    assert [
        problem for one in bedrock.requests for problem in one.problems if "note" not in problem
    ] == []
    assert requests_with(answered, shown) == []
    told = [one for one in anthropic.requests if one.path == "/v1/messages"]
    assert shown.encode() in told[-1].body, "Claude sees it itself"
    assert requests_with(anthropic.requests, "described by") == []

    printed = seeing.command("compile", profile=PROFILE)
    listed = seeing.command("requests", "--json", profile=PROFILE)

    assert "images and PDFs of haiku: the images and signatures of AWS profile" in printed.out
    entries = [one for one in listed.json()["data"]["requests"] if one["via"] == "eyes"]
    assert [(one["asked"], one["answered"], one["tier"], one["status"]) for one in entries] == [
        (f"bedrock/{NOVA}", f"bedrock/{NOVA}", "haiku", 200)
    ]
    assert entries[0]["dollars"] > 0
    assert requests_with(bedrock.requests, seeing.canaries.oauth) == []
