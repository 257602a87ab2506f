"""A team: the providers of one machine, asked by sessions on others with a key for each person.

One series of a session's turns; each test examines what it has left behind. What the server gets is
looked at behind TLS, byte by byte.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.exchange import Recorded
from tests.conftest import need
from tests.e2e import raw
from tests.e2e.canaries import files_with, holds, memory_holds, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import House, login_headers, question
from tests.e2e.serving import HOST, Server, Wiretap, serving
from tests.e2e.session import session

MODEL = "bedrock/qwen.qwen3-next-80b-a3b"
ANSWER = "bedrock stand-in: qwen.qwen3-next-80b-a3b"
TEAM = "team"
ACCOUNT = {
    "accountUuid": f"aaaaaaaa-0000-4000-8000-{secrets.token_hex(6)}",
    "emailAddress": f"canary-{secrets.token_hex(6)}@example.invalid",
    "organizationUuid": f"bbbbbbbb-0000-4000-8000-{secrets.token_hex(6)}",
}
CONVERSATION = ("system", "messages", "tools")  # what claude says to a model


class TeamScene(NamedTuple):
    """Everything that can be examined after one session's turns."""

    laptop: House
    server: Server
    wire: Wiretap
    keys: tuple[str, str]  # the person's first and second
    results: list[dict[str, Any]]  # of the turns, in order
    asked: list[int]  # how many requests the server had got after each
    anthropic: tuple[Recorded, ...]
    of_claude: list[bytes]  # its command line and environment
    files_with_key: list[str]  # ours while claude was running, all of them afterwards
    pids: dict[str, int]
    remembering: set[str]  # the processes with the key in their memory
    compiled: str
    usage: dict[str, Any]
    online: list[dict[str, Any]]  # what the doctor finds
    status: str


def profile_of(url: str, more: str) -> str:
    """A laptop's profile: haiku at the team's server, everything else Claude."""
    return f'[tiers]\nhaiku = "{MODEL}"\n[providers]\nurl = "{url}"\n{more}\n'


@pytest.fixture(scope="module")
def scene(
    build_house: Build,
    anthropic_upstream: AnthropicStandin,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TeamScene]:
    with (
        build_house("server") as house,
        serving(house, tmp_path_factory.mktemp("serve")) as server,
        build_house("laptop") as laptop,
    ):
        shutil.rmtree(house.home / ".claude")  # the server has no Claude account
        server.add("ann")
        key = server.add("bob")
        server.start()
        wire = Wiretap(server)
        shutil.rmtree(laptop.home / ".aws")
        state = json.loads((laptop.home / ".claude.json").read_text())
        laptop.write(".claude.json", json.dumps({**state, "oauthAccount": ACCOUNT}))
        path = laptop.write("bob.key", key)
        trust = f'ca = "{server.authority}"\nkey = "command:/bin/cat {path}"'
        laptop.write_own_profile(TEAM, profile_of(wire.url, trust))
        anthropic_upstream.clear()
        yield play(laptop, server, wire, key, path, anthropic_upstream)
        wire.close()


def play(
    laptop: House, server: Server, wire: Wiretap, key: str, path: Path, anthropic: AnthropicStandin
) -> TeamScene:
    """A turn; one after the key was removed; one with a new key; one of Claude's."""
    results, asked = [], []
    with session(laptop, "haiku", profile=TEAM) as turns:

        def turn(text: str) -> None:
            turns.ask(text)
            results.append(turns.result())
            asked.append(len(wire.requests))

        turn("hello")
        of_claude = [
            Path(f"/proc/{turns.process.pid}/{name}").read_bytes()
            for name in ("cmdline", "environ")
        ]
        ours = [laptop.home / name for name in (".local", ".cache", ".config")]
        found = [name for folder in ours for name in files_with(folder, key)]
        server.remove("bob")
        turn("once more")
        fresh = server.add("bob")
        laptop.write("bob.key", fresh)
        turn("and now")
    assert laptop.openclaude("-p", "hi", "--model", "sonnet", profile=TEAM).code == 0
    status = laptop.status(TEAM)
    pids = {unit["name"]: unit["pid"] for unit in status["units"]} | {"supervisor": status["pid"]}
    compiled = laptop.command("compile", profile=TEAM).out
    online = laptop.command("doctor", "--online", "--json", profile=TEAM).json()["data"]
    shown = laptop.command("status", "--processes", profile=TEAM).out
    usage = laptop.command("usage", "--json", profile=TEAM).json()["data"]
    found += files_with(laptop.root, fresh)
    remembering = {name for name, pid in pids.items() if os.geteuid() or memory_holds(pid, fresh)}
    return TeamScene(
        laptop,
        server,
        wire,
        (key, fresh),
        results,
        asked,
        anthropic.requests,
        of_claude,
        found,
        pids,
        remembering,
        compiled,
        usage,
        online["diagnostics"],
        shown,
    )


def ask_main(scene: TeamScene) -> raw.RawReply:
    """One message for the team's server, through a main that runs as the profile now says."""
    assert scene.laptop.command("start", "--wait", profile=TEAM).code == 0
    record = json.loads((scene.laptop.folder.with_name(TEAM) / "stack.json").read_bytes())
    headers = raw.with_key(login_headers(scene.laptop.canaries.oauth), record["main_key"])
    return raw.ask(record["port"], headers, question("hi", model="openclaude-haiku"))


def bodies(scene: TeamScene) -> list[dict[str, Any]]:
    """The messages that the server got, as documents."""
    found = []
    for heard in map(bytes, scene.wire.heard):
        while heard:
            head, _, rest = heard.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)^content-length: (\d+)\r?$", head, re.M)
            size = int(length[1]) if length else 0  # the doctor asks for models with GET
            # claude may leave in the middle of one
            found += [json.loads(rest[:size])] if 0 < size <= len(rest) else []
            heard = rest[size:]
    return found


def test_a_session_is_answered_by_the_server_with_nothing_but_main_on_the_laptop(
    scene: TeamScene,
) -> None:
    assert scene.results[0]["result"] == ANSWER
    assert set(scene.pids) == {"main", "supervisor"}
    assert bodies(scene)[0]["model"] == MODEL
    assert "providers.yaml" not in scene.compiled
    assert f"go to {scene.wire.url} (`{MODEL}`)" in scene.compiled
    haiku = next(row for row in scene.usage["rows"] if row["tier"] == "haiku")
    assert (haiku["requests"], haiku["errors"]) == (3, 1)
    assert haiku["usd"] > 0


def test_doctor_and_status_know_the_server(scene: TeamScene) -> None:
    found = {one["code"]: one["message"] for one in scene.online}

    assert found["server"] == f"{scene.wire.url} accepts your key and has the profile's models"
    assert not [one for one in scene.online if one["code"].startswith(("aws-", "bedrock-", "not-"))]
    assert f"({MODEL}) at {scene.wire.url}" in scene.status


def test_a_removed_key_is_refused_at_once_and_claude_asks_only_once(scene: TeamScene) -> None:
    said = scene.results[1]["result"]

    assert scene.results[1]["is_error"] is True
    assert f"`{scene.wire.url}` does not accept your key from `command:/bin/cat" in said
    assert scene.asked[1] - scene.asked[0] == 1  # the program still printed the same key


def test_a_new_key_is_fetched_after_a_refusal_without_a_restart(scene: TeamScene) -> None:
    assert scene.results[2]["result"] == ANSWER
    assert scene.asked[2] - scene.asked[1] == 2  # with the old one, then with the new one


def test_the_file_has_the_other_person_and_no_key(scene: TeamScene) -> None:
    assert re.search(r"^ann [0-9a-f]{64}$", scene.server.keys.read_text(), re.M)
    assert not holds(scene.server.keys.read_bytes(), scene.keys[0])


# Canaries -----------------------------------------------------------------------------------------


def test_no_byte_of_the_plans_login_or_of_the_account_reaches_the_server(scene: TeamScene) -> None:
    heard = scene.wire.all

    assert all(holds(heard, key) for key in scene.keys)  # the search works
    for secret in (scene.laptop.canaries.oauth, scene.laptop.canaries.refresh):
        assert not holds(heard, secret)
    assert requests_with(scene.anthropic, ACCOUNT["accountUuid"])  # claude does send it
    assert not holds(heard, ACCOUNT["accountUuid"])
    assert not holds(heard, ACCOUNT["organizationUuid"])


def test_a_local_path_is_only_in_what_claude_says_to_the_model(scene: TeamScene) -> None:
    path = str(scene.laptop.root)
    heads = b"".join(scene.wire.requests)
    rest = [{k: v for k, v in body.items() if k not in CONVERSATION} for body in bodies(scene)]

    assert len(rest) == scene.asked[-1]
    assert holds(scene.wire.all, path)  # the working directory, in the conversation
    assert not holds(heads, path)
    assert not holds(json.dumps(rest).encode(), path)
    assert {name for body in rest for name in body.get("metadata", {})} <= {"user_id"}


def test_the_key_reaches_neither_anthropic_nor_claude_nor_a_file(scene: TeamScene) -> None:
    for key in scene.keys:
        assert not requests_with(scene.anthropic, key)
        assert not [said for said in scene.of_claude if holds(said, key)]
        assert not holds(json.dumps(scene.results).encode(), key)
    assert [Path(name).name for name in scene.files_with_key] == ["bob.key"]


def test_the_key_is_in_the_memory_of_main_alone(scene: TeamScene) -> None:
    need(os.geteuid() == 0, "the right to read another process's memory (root)")

    assert scene.remembering == {"main"}


def test_the_teams_authority_is_trusted_for_its_server_alone(scene: TeamScene) -> None:
    certificate = scene.server.authority.read_text().splitlines()[1]

    assert not files_with(scene.laptop.home / ".local", certificate)


# What goes wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "trusts", "sentence"),
    [
        (HOST, False, "set `providers.ca` in the profile"),
        ("127.0.0.1", True, "its certificate is for another host"),
    ],
)
def test_a_server_that_cannot_prove_itself_gets_nothing(
    scene: TeamScene, host: str, trusts: bool, sentence: str
) -> None:
    before = len(scene.wire.all)
    trust = f'ca = "{scene.server.authority}"\n' if trusts else ""
    url = f"https://{host}:{scene.wire.port}"
    key = f'key = "file:{scene.laptop.home}/bob.key"'
    scene.laptop.write_own_profile(TEAM, profile_of(url, trust + key))

    refused = ask_main(scene)

    assert refused.status == 424
    assert sentence in refused.body.decode()
    assert len(scene.wire.all.strip()) == len(scene.wire.all[:before].strip())


def test_an_outage_is_a_sentence_in_a_status_that_claude_waits_for(scene: TeamScene) -> None:
    key = f'key = "file:{scene.laptop.home}/bob.key"'
    scene.laptop.write_own_profile(TEAM, profile_of("https://127.0.0.1:9", key))

    refused = ask_main(scene)

    assert refused.status == 408
    assert "cannot reach 127.0.0.1:9 now" in refused.body.decode()
