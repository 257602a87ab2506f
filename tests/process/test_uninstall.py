"""`openclaude uninstall` on a machine where openclaude was really used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.process.conftest import MakePlan
from tests.process.test_profiles_authoring import talk
from tests.process.world import World, until

ASKS = (
    "error: `openclaude uninstall` needs confirmation, but there is no terminal\n"
    "\nhint: add `--yes`\n"
)


@pytest.fixture
def used(empty_world: World, plan: MakePlan) -> World:
    """A home after a launch, a crash of ours, an edit that was killed, and a default profile."""
    world = empty_world
    world.keep(plan("qwen"))
    assert world.run("-p", "hi").status == 0
    world.write_profile("mine", 'schema = 1\nextends = "qwen"\n')
    assert world.run("profiles", "use", "mine").status == 0
    (world.state / "crash.md").touch()
    (world.profiles / ".mine.1.0123abcd.draft.toml").touch()
    (world.state / "stacks/qwen/.plan.json.1.tmp").touch()
    tree = world.cache / "app" / ("0a" * 16) / "site-packages"
    tree.mkdir(parents=True)
    (tree / "litellm.py").touch()
    (world.cache / "app" / "lock").touch()
    return world


def kept_by(world: World, envelope: Any) -> set[Path]:
    """Return what uninstall reports as kept."""
    paths = (row["path"] for row in envelope["data"]["kept"])
    return {Path(path.replace("ROOT", str(world.root))) for path in paths}


def others(world: World) -> dict[str, str]:
    """Return every file of the home that is not ours."""
    ours = ("/openclaude", "/claude-settings")
    return {
        path: print_
        for path, print_ in world.files().items()
        if not any(name in path for name in ours)
    }


def test_everything_stops_and_goes_but_the_users_profiles(used: World) -> None:
    used.up()
    before, profiles = others(used), used.files(used.profiles.parent)

    done = used.run("uninstall", "--yes")

    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(
        "stopped the proxies of `qwen`\n"
        "removed ROOT/home/.local/state/openclaude\n"
        "removed ROOT/home/.local/state/claude-settings\n"
        "removed ROOT/home/.cache/openclaude\n"
        "kept ROOT/home/.config/openclaude: your profiles; `--purge` removes them\n"
    )
    assert used.processes() == []
    assert not used.state.exists()
    assert not used.cache.exists()
    assert (others(used), used.files(used.profiles.parent)) == (before, profiles)


def test_purge_removes_the_profiles_too_and_a_second_time_finds_nothing(used: World) -> None:
    before = others(used)

    assert used.run("uninstall", "--purge", "--yes").status == 0

    assert others(used) == before
    assert not used.profiles.parent.exists()
    again = used.run("uninstall", "--purge")
    assert (again.status, again.out.partition("\n")[0]) == (0, "openclaude has no files here")


def test_without_a_yes_it_is_shown_and_nothing_is_changed(used: World) -> None:
    used.up()
    settings = used.state.parent / "claude-settings"
    until(lambda: not list(settings.iterdir()))  # that of the session went with it
    before = used.files(used.profiles.parent, used.cache, used.folder() / "stack.json")

    said = used.run("uninstall", "--purge")
    envelope = used.json("uninstall")

    count = len(envelope["data"]["removed"][0]["files"])
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "stop    the proxies of `qwen`\n"
        f"remove  ROOT/home/.local/state/openclaude ({count} files)\n"
        "remove  ROOT/home/.local/state/claude-settings (0 files)\n"
        "remove  ROOT/home/.cache/openclaude (3 files)\n"
        "remove  ROOT/home/.config/openclaude/profiles/.mine.1.0123abcd.draft.toml\n"
        "remove  ROOT/home/.config/openclaude/profiles/mine.toml\n"
        "remove  ROOT/home/.config/openclaude (1 file)\n"
        f"\n{ASKS}"
    )
    assert (envelope["exit_code"], envelope["data"]["is_done"]) == (2, False)
    assert envelope["data"]["stopped"] == ["qwen"]
    assert used.files(used.profiles.parent, used.cache, used.folder() / "stack.json") == before
    assert used.run("status").status == 0


def test_a_person_says_no_or_yes(used: World) -> None:
    with talk(used, "uninstall") as one:
        one.wait_for("continue? (yes or no) [no]: ")
        one.type("\n")
        status, _ = one.finish()
    assert (status, used.state.exists()) == (1, True)

    with talk(used, "uninstall") as one:
        one.wait_for("continue? (yes or no) [no]: ")
        one.type("yes\n")
        status, _ = one.finish()
    assert (status, used.state.exists()) == (0, False)


def test_what_is_not_openclaudes_is_named_and_stays(used: World) -> None:
    strange = [
        used.state / "notes.txt",
        used.state / "stacks" / "qwen" / "mine.txt",
        used.state / "stacks" / "Not A Name" / "stack.json",
        used.cache / "app" / "me" / "site-packages",
        used.profiles / "README",
        used.profiles / "Upper.toml",
    ]
    for path in strange:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")

    envelope = used.json("uninstall", "--purge", "--yes")

    assert envelope["exit_code"] == 0
    assert kept_by(used, envelope) == {
        *strange[:2],
        strange[2].parent,
        strange[3].parent,
        *strange[4:],
    }
    left = [
        path
        for folder in (used.state, used.cache, used.profiles.parent)
        for path in folder.rglob("*")
        if path.is_file()
    ]
    assert sorted(left) == sorted(strange)


def test_no_link_is_followed(used: World) -> None:
    elsewhere = used.home / "dotfiles"
    elsewhere.mkdir()
    for name in ("linked.toml", "stack.json", "plan.json"):
        (elsewhere / name).write_text("mine")
    (used.profiles / "linked.toml").symlink_to(elsewhere / "linked.toml")
    (used.state / "stacks" / "other").symlink_to(elsewhere)
    used.cache.rename(used.home / "moved")
    used.cache.symlink_to(used.home / "moved")
    before = used.files(elsewhere, used.home / "moved")

    envelope = used.json("uninstall", "--purge", "--yes")

    assert kept_by(used, envelope) == {
        used.state / "stacks" / "other",
        used.cache,
    }
    assert not (used.profiles / "linked.toml").is_symlink()
    assert used.files(elsewhere, used.home / "moved") == before


def test_a_session_that_would_lose_its_stack_is_counted(used: World) -> None:
    used.tell_claude(sleep_s=120)
    with used.start("--profile", "qwen") as claude:
        until(lambda: used.status("qwen")["sessions"])

        said = used.run("uninstall")

        claude.kill()
        claude.communicate()
    assert "stop    the proxies of `qwen`, used by 1 session of claude\n" in said.err


def test_the_program_itself_is_left_to_who_installed_it(used: World) -> None:
    data = json.loads(used.run("uninstall", "--json", "--yes").out)["data"]

    assert set(data["program"]) == {"installed_by", "command"}
    assert data["program"]["installed_by"] in {"pip", "checkout"}
    assert used.program.exists()
