"""`openclaude report`: a page for a bug report, in which nothing is private."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from openclaude.aws.files import AwsFacts
from openclaude.commands.report import command, page
from openclaude.commands.report.command import ReportNotWritten
from openclaude.commands.report.page import report_page
from openclaude.doctor.snapshot.world import Claude, ProfileSeen, World
from openclaude.ledger.store import add, ledger_file, open_to_write
from openclaude.paths import Places, find_places
from tests.conftest import REPOSITORY
from tests.pinned import CLAUDE_VERSION
from tests.unit.ledger.entries import entry

CANARIES = {
    "token": "sk-ant-oat01-CANARYcanary0123456789",
    "key": "plain-key-canary",
    "header": "header-secret-canary",
    "user": "canaryuser",
    "e-mail": "canary.person@example.com",
    "prompt": "please translate the canary song",
    "project": "secret-project-canary",
    "account": "123456789012",
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home" / "canaryuser"
    home.mkdir(parents=True)
    return {
        "HOME": str(home),
        "USER": "canaryuser",
        "OPENAI_API_KEY": CANARIES["key"],
        "ANTHROPIC_CUSTOM_HEADERS": f"X-Team: {CANARIES['header']}",
    }


@pytest.fixture
def places(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Places:
    """A home in which each canary is somewhere that a report is made of."""
    places = find_places(env)._replace(shipped=REPOSITORY / "profiles")
    places.profiles.mkdir(parents=True)
    (places.profiles / "mine.toml").write_text(
        f'schema = 1\ndescription = "of {CANARIES["e-mail"]} and canaryuser"\n'
        'extends = "base"\n[tiers.haiku]\nmodel = "openai/gpt-5.6-luna"\n'
        f'api_key = "file:{env["HOME"]}/key"\n'
    )
    folder = places.stacks / "mine"
    folder.mkdir(parents=True)
    said = " ".join(CANARIES.values())
    at = "2026-11-30T10:00:00.000Z"
    for unit in ("main", "providers", "preloader"):
        (folder / f"{unit}.log").write_text(
            f"{at} ERROR LiteLLM-Proxy: BadRequestError: {said}\n    | {said}\n{said}\n"
        )
    (folder / "supervisor.log").write_text(
        f"{at} ERROR `main` ended in {env['HOME']}/x with {CANARIES['token']}\n{said}\n"
    )
    (places.state / "crash.md").write_text(f"# openclaude 1 crashed\nValueError: {said}\n")
    connection = open_to_write(ledger_file(places.state))
    add(
        connection,
        [
            entry(
                status=429,
                error="rate_limit_error",
                session=CANARIES["project"],
                project=f"{env['HOME']}/{CANARIES['project']}",
                asked="claude-haiku-5-5",
            )
        ],
    )
    connection.close()
    world = World(
        env=env,
        claude=Claude(path=f"{env['HOME']}/bin/claude", version=CLAUDE_VERSION),
        wanted=ProfileSeen("mine"),
        aws=AwsFacts("~/.aws/config", "~/.aws/credentials"),
        recorded=(3, f"{env['HOME']}/recorded/{CANARIES['account']}"),
    )
    monkeypatch.setattr(page, "look", lambda *_: world)
    monkeypatch.setattr(page, "report_of", lambda *_: [])  # nobody answers on a socket here
    return places


def test_no_canary_is_in_the_page_and_what_a_maintainer_needs_is(
    places: Places, env: dict[str, str]
) -> None:
    text = report_page("mine", places, env, places.home)

    found = {name: one for name, one in CANARIES.items() if one.lower() in text.lower()}
    assert found == {}
    assert env["HOME"] not in text
    for words in (
        "openclaude  ",
        f"claude      {CLAUDE_VERSION}",
        "recorded requests, with prompts and answers, are in `~/recorded/(account)`",
        'model = "openai/gpt-5.6-luna"',
        "429 rate_limit_error 900 ms",
        "ERROR LiteLLM-Proxy: BadRequestError",
        "ERROR `main` ended in ~/x with (removed)",
        "nothing is running",
        "# openclaude 1 crashed",
    ):
        assert words in text


def test_a_part_that_cannot_be_made_hides_no_other(
    places: Places, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise RuntimeError(CANARIES["token"])

    monkeypatch.setattr(page, "proxies", fail)

    text = report_page("nope", places, env, places.home)

    assert "this cannot be said: RuntimeError" in text
    assert f"claude      {CLAUDE_VERSION}" in text


def arguments(**changed: Any) -> argparse.Namespace:
    return argparse.Namespace(
        **{"profile": "mine", "out": None, "yes": False, "json": False, **changed}
    )


def test_without_a_terminal_it_is_printed_and_written_only_where_it_is_told_to(
    places: Places, env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    try:
        printed = command.run(arguments(), places, env)
        written = command.run(arguments(out="report.md"), places, env)
        chosen = command.run(arguments(yes=True), places, env)
    finally:
        os.umask(before)

    assert printed.text.startswith("# Report of openclaude ")
    assert printed.data["file"] is None
    assert (tmp_path / "report.md").read_text() == written.text
    assert stat.S_IMODE((tmp_path / "report.md").stat().st_mode) == 0o600
    assert (tmp_path / str(chosen.data["file"])).exists()


@pytest.mark.parametrize("kind", ["file", "link", "folder", "nowhere"])
def test_nothing_that_is_there_is_written_over(tmp_path: Path, kind: str) -> None:
    path, theirs = tmp_path / "report.md", tmp_path / "theirs"
    match kind:
        case "file":
            path.write_text("mine")
        case "link":
            path.symlink_to(theirs)
        case "folder":
            path.mkdir()
        case _:
            path = tmp_path / "no" / "report.md"

    with pytest.raises(ReportNotWritten, match="cannot write"):
        command.write_new_file(path, "text")

    assert not theirs.exists()
    assert kind != "file" or path.read_text() == "mine"


def test_on_a_terminal_it_is_shown_and_asked_for(
    places: Places,
    env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "is_attended", lambda: True)
    answers = iter([False, True])

    def answer(_question: str) -> bool:
        assert "# Report of openclaude" in capsys.readouterr().out
        return next(answers)

    monkeypatch.setattr(command, "confirm", answer)
    command.run(arguments(), places, env)
    assert [*tmp_path.glob("*.md")] == []
    command.run(arguments(), places, env)
    assert len([*tmp_path.glob("openclaude-report-*.md")]) == 1
