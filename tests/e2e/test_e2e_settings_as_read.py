"""claude's settings files in every form that claude reads: a launch reads the same out of them."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from tests.conftest import variant
from tests.e2e.house import House

OPUS = "anthropic stand-in: claude-opus-5-5\n"
MINE = {"env": {"ANTHROPIC_CUSTOM_HEADERS": "x-mine: yes"}}
JSON = json.dumps(MINE)
READ = {
    "a mark": codecs.BOM_UTF8 + JSON.encode(),
    "UTF-16": codecs.BOM_UTF16_LE + JSON.encode("utf-16-le"),
    "bytes that are no text": JSON.encode()[:-1] + b', "note": "caf\xe9"}',
    "a name twice": b'{"env": {}, ' + JSON.encode()[1:],
    "Windows' line ends": json.dumps(MINE, indent=1).replace("\n", "\r\n").encode(),
}
NOT_READ = {
    "big-endian": codecs.BOM_UTF16_BE + JSON.encode("utf-16-be"),
    "a comment": b"// mine\n" + JSON.encode(),
    "a comma": JSON.encode()[:-1] + b",}",
    "no number": b'{"n": NaN, ' + JSON.encode()[1:],
}


@pytest.fixture
def settings(house: House) -> Iterator[Path]:
    """The user's settings file, which the test writes; it is removed afterwards."""
    path = house.home / ".claude/settings.json"
    yield path
    path.unlink(missing_ok=True)


def headers(house: House, anthropic: AnthropicStandin, *arguments: str) -> list[str | None]:
    """Return the user's header as Anthropic got it: from plain claude, then from a launch."""
    anthropic.clear()
    house.claude(*arguments, "-p", "hi")
    ran = house.openclaude(*arguments, "-p", "hi", "--model", "opus")
    assert (ran.code, ran.out) == (0, OPUS), ran
    return [
        request.header("x-mine") for request in anthropic.requests if request.path == "/v1/messages"
    ]


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize("place", ["settings", variant("--settings")])
def test_launch_20_what_claude_reads_counts(
    house: House, anthropic: AnthropicStandin, settings: Path, tmp_path: Path, form: str, place: str
) -> None:
    path = settings if place == "settings" else tmp_path / "mine.json"
    path.write_bytes(READ[form])

    flag = () if place == "settings" else ("--settings", str(path))
    assert headers(house, anthropic, *flag) == ["yes", "yes"]


@pytest.mark.parametrize("form", NOT_READ)
def test_launch_20_what_claude_does_not_read_does_not_count_and_doctor_names_it(
    house: House, anthropic: AnthropicStandin, settings: Path, form: str
) -> None:
    settings.write_bytes(NOT_READ[form])

    assert headers(house, anthropic) == [None, None]
    told = house.command("doctor", "--json").json()["data"]["diagnostics"]
    (found,) = (one for one in told if one["code"] == "settings-broken")
    assert str(settings) in found["message"]
    settings.write_text(JSON)  # as its fix says: one JSON object
    told = house.command("doctor", "--json").json()["data"]["diagnostics"]
    assert "settings-broken" not in {one["code"] for one in told}


def test_launch_20_an_empty_file_is_an_empty_object(
    house: House, anthropic: AnthropicStandin, settings: Path, tmp_path: Path
) -> None:
    settings.write_bytes(b"")
    (tmp_path / "mine.json").write_bytes(codecs.BOM_UTF8)

    flag = ("--settings", str(tmp_path / "mine.json"))
    assert headers(house, anthropic, *flag) == [None, None]


def test_launch_20_numbers_in_the_users_settings_reach_his_tools_as_text(
    house: House, tmp_path: Path
) -> None:
    values = {"QN": 5, "QB": True, "QF": 1.5, "QZ": None, "QS": "x"}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"env": values, "permissions": {"allow": ["Bash(env:*)"]}}))
    tool = script.tool("Bash", {"command": "env | grep ^Q"})

    ran = house.openclaude("--settings", str(path), "-p", tool, "--model", "opus")

    for line in ("QN=5", "QB=true", "QF=1.5", "QZ=null", "QS=x"):
        assert line in ran.out
