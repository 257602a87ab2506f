"""`openclaude team`: what becomes of the file, and who may still read it."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from openclaude.commands import runner
from openclaude.commands.serve.keys import (
    KeysUnusable,
    PersonUnknown,
    add_person,
    known_people,
    limit_person,
    remove_person,
)
from openclaude.contracts.team.people import Limits
from openclaude.errors import UsageError

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "people.keys"
    path.write_text("# the team\n")
    add_person(path, "ann", Limits(rpm=60, day=5.0))
    with path.open("a") as file:
        file.write("\n# guests\n")
    add_person(path, "bob")
    return path


def team(keys: Path, capsys: pytest.CaptureFixture[str], action: str, *words: str) -> Any:
    """The `data` of an action."""
    runner.run("team", [action, *words, "--keys", str(keys), "--json"], {})
    document = json.loads(capsys.readouterr().out)
    assert document["errors"] == []
    return document["data"]


def names(path: Path) -> list[str]:
    return [one.name for one in known_people(path).values()]


def test_a_person_who_is_revoked_leaves_everything_else_as_it_was(keys: Path) -> None:
    before = keys.read_text().splitlines(keepends=True)

    assert remove_person(keys, "ann") == 1

    assert keys.read_text() == "".join(one for one in before if not one.startswith("ann "))
    assert list(keys.parent.iterdir()) == [keys]


def test_a_limit_that_is_not_named_stays_and_none_takes_one_away(
    keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = keys.read_text().splitlines()[1].split()[1]

    said = team(keys, capsys, "limit", "ann", "--rpm", "none", "--month", "60")

    assert keys.read_text().splitlines()[1] == f"ann {digest} day=5.00 month=60.00"
    assert said["limits"] == {
        "requests_per_minute": None,
        "parallel": None,
        "usd_per_day": 5.0,
        "usd_per_month": 60.0,
    }


def test_the_list_has_people_and_limits_and_no_key(
    keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = team(keys, capsys, "add", "eve", "--parallel", "2")["key"]

    runner.run("team", ["list", "--keys", str(keys)], {})

    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()[-3:]] == ["ann", "bob", "eve"]
    assert "5.00" in shown
    assert key not in shown
    assert not any(digest[:12] in shown for digest in known_people(keys))


@pytest.mark.parametrize("given", [("--rpm", "0"), ("--day", "none"), ("--month", "1e3")])
def test_a_limit_that_is_none_is_refused_before_a_key_is_made(
    keys: Path, given: tuple[str, str]
) -> None:
    with pytest.raises(UsageError, match=f"`{given[0]}` cannot be `{given[1]}`"):
        runner.result_of("team", ["add", "eve", "--keys", str(keys), *given], {})

    assert names(keys) == ["ann", "bob"]


def test_an_unknown_person_is_not_limited(keys: Path) -> None:
    with pytest.raises(PersonUnknown) as refused:
        limit_person(keys, "anne", lambda limits: limits)

    assert refused.value.hint == "did you mean `ann`?"


def test_a_broken_file_is_not_written_over(keys: Path) -> None:
    keys.write_text(broken := keys.read_text() + "eve not-a-digest\n")

    for change in (lambda: remove_person(keys, "ann"), lambda: add_person(keys, "joe")):
        with pytest.raises(KeysUnusable, match="line 6 must be"):
            change()

    assert keys.read_text() == broken


def test_who_may_read_the_file_still_may_and_a_link_stays_one(keys: Path, tmp_path: Path) -> None:
    keys.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(keys)

    remove_person(link, "ann")

    assert link.is_symlink()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o640
    assert names(keys) == ["bob"]


@needs_root
def test_root_changes_the_file_of_another_user_who_can_still_read_it(keys: Path) -> None:
    os.chown(keys, NOBODY, NOBODY)

    limit_person(keys, "ann", lambda limits: limits._replace(parallel=3))

    found = keys.stat()
    assert (found.st_uid, found.st_gid) == (NOBODY, NOBODY)


def test_two_who_change_it_at_once_lose_nothing(keys: Path) -> None:
    people = [f"p{number}" for number in range(12)]

    def swap(mine: list[str]) -> None:
        """People come, and guests come and go."""
        for one in mine:
            add_person(keys, one)
            add_person(keys, f"{one}-guest")
            remove_person(keys, f"{one}-guest")

    threads = [threading.Thread(target=swap, args=(people[n::4],)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(names(keys)) == sorted(["ann", "bob", *people])
