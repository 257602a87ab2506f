"""What `doctor --online` makes of a server's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude.compile.compiler import compile_plan
from openclaude.contracts.plan import Plan
from openclaude.doctor.server import ServerFound, judge_server, key_from
from openclaude.doctor.server_ask import names_in
from openclaude.models.catalog import Catalog
from openclaude.profile.library import Library
from openclaude.run.worker.secrets import SecretUnavailable

URL = "https://models.example.internal"
MODEL = "bedrock/qwen.qwen3-next-80b-a3b"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "x.toml").write_text(
        f'schema = 1\n[tiers]\nhaiku = "{MODEL}"\n'
        f'[providers]\nurl = "{URL}"\nkey = "env:TEAM_KEY"\n'
    )
    catalog = Catalog.bundled()
    loaded = Library(tmp_path, tmp_path, catalog=catalog).load("x", env={})
    return compile_plan("x", loaded.profile, catalog.find, made_by="test")


@pytest.mark.parametrize(
    ("found", "code", "severity", "said"),
    [
        (ServerFound(status=200, models=(MODEL,)), "server", "ok", "accepts your key"),
        (ServerFound(status=200, models=("bedrock/x",)), "server-model", "warning", MODEL),
        (ServerFound(status=200), "server-model", "warning", MODEL),
        (ServerFound(status=401), "server-key", "warning", "from `env:TEAM_KEY`"),
        (ServerFound(status=502), "server-unexpected", "warning", "answers with HTTP 502"),
        (
            ServerFound(why="cannot reach x: it is gone; start it"),
            "server-unreachable",
            "warning",
            "cannot reach x: it is gone",
        ),
    ],
)
def test_an_answer_is_one_sentence_with_what_to_do(
    plan: Plan, found: ServerFound, code: str, severity: str, said: str
) -> None:
    (one,) = judge_server(URL, "env:TEAM_KEY", found, plan)

    assert (one.code, str(one.severity)) == (code, severity)
    assert said in one.message
    assert bool(one.fix) == (severity != "ok")


def test_the_key_is_fetched_as_main_fetches_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-two\n")

    assert key_from("env:TEAM_KEY", {"TEAM_KEY": "sk-one"}) == "sk-one"
    assert key_from("file:~/key", {"HOME": str(tmp_path)}) == "sk-two"
    with pytest.raises(SecretUnavailable, match="`env:TEAM_KEY` is not set"):
        key_from("env:TEAM_KEY", {})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 5}', b'{"data": [1]}'])
def test_what_is_no_list_of_models_has_none(body: bytes) -> None:
    assert names_in(body) == ()
    assert names_in(b'{"data": [{"id": "a"}, {"id": "b"}]}') == ("a", "b")
