"""Profiles from the command line, as a user sees it: terminals, editors, kills, many at once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import shlex
import signal
import stat
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.world import TIMEOUT_S, World, until

MODEL = "bedrock/qwen.qwen3-next-80b-a3b"
MINE = """\
# mine
schema = 1
extends = "qwen"
"""
BROKEN = MINE + "tirs = 1\n"
ENVELOPE = ["openclaude_json", "openclaude", "command", "status", "exit_code", "data", "errors"]


def take_terminal() -> None:
    """Make stdin the controlling terminal, which sends Ctrl-C."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Talk:
    """openclaude on a terminal: its output is read, a user's input is written."""

    def __init__(self, world: World, *arguments: str, **env: str) -> None:
        self.ours, theirs = pty.openpty()
        self.process = world.start(
            *arguments,
            stdin=theirs,
            stderr=theirs,
            preexec_fn=take_terminal,
            env={**world.env, **env},
        )
        os.close(theirs)
        self.shown = ""
        self.seen = 0  # how much of it earlier waits have found

    def wait_for(self, text: str) -> None:
        """Read until `text` is displayed after what was waited for before.

        Raises an error if it never is.

        """
        while (at := self.shown.find(text, self.seen)) < 0:
            assert self.is_readable(), f"no {text!r} in {self.shown}"
            part = os.read(self.ours, 4096).decode()
            assert part, self.shown
            self.shown += part
        self.seen = at + len(text)

    def is_readable(self) -> bool:
        """Whether something is displayed, or the other side closed, before the time is up."""
        return bool(select.select([self.ours], [], [], TIMEOUT_S)[0])

    def type(self, text: str) -> None:
        """Type these keys."""
        os.write(self.ours, text.encode())

    def finish(self) -> tuple[int, str]:
        """Return exit status and stdout, once it has ended."""
        with contextlib.suppress(OSError):  # Linux reports EIO when the other side has closed
            while self.is_readable() and (part := os.read(self.ours, 4096)):
                self.shown += part.decode()
        out, _ = self.process.communicate(timeout=120)
        return self.process.returncode, out


@contextlib.contextmanager
def talk(world: World, *arguments: str, **env: str) -> Iterator[Talk]:
    """One conversation; what still waits for an answer at its end is killed."""
    talking = Talk(world, *arguments, **env)
    try:
        with talking.process:
            try:
                yield talking
            finally:
                if talking.process.poll() is None:
                    talking.process.kill()
    finally:
        os.close(talking.ours)


def editor(world: World, code: str) -> dict[str, str]:
    """Return an environment whose editor runs `code` with `draft`, the path it is given."""
    script = world.bin / "an-editor.py"
    script.write_text(
        "import os, signal, sys, time\nfrom pathlib import Path\n"
        f"draft = Path(sys.argv[1])\n{code}\n"
    )
    return {"EDITOR": shlex.join([sys.executable, str(script)])}


def text_of(world: World, name: str) -> str:
    return (world.profiles / f"{name}.toml").read_text()


# --- a terminal


def test_a_person_makes_a_profile_by_answering(empty_world: World) -> None:
    with talk(empty_world, "profiles", "new", "mine") as one:
        one.wait_for("start from which profile?")
        one.type("qwen\n")
        for tier in ("opus", "sonnet", "haiku", "fable"):
            one.wait_for(f"model for {tier}")
            one.type("\n")
        one.wait_for("description")
        one.type("my own\n")
        status, out = one.finish()

    assert status == 0
    assert out.startswith("wrote `")
    assert 'description = "my own"\nextends = "qwen"' in text_of(empty_world, "mine")


def test_the_aws_profiles_of_the_machine_are_offered(empty_world: World) -> None:
    keys = "aws_access_key_id = AKIATEST\naws_secret_access_key = x\n"
    (empty_world.home / ".aws" / "config").write_text("[profile work]\nregion = eu-west-1\n")
    (empty_world.home / ".aws" / "credentials").write_text(f"[play]\n{keys}")
    with talk(empty_world, "profiles", "new", "mine", AWS_PROFILE="work") as one:
        one.wait_for("start from which profile?")
        one.type("base\n")
        for tier, model in (("opus", ""), ("sonnet", ""), ("haiku", MODEL), ("fable", "")):
            one.wait_for(f"model for {tier}")
            one.type(f"{model}\n")
        one.wait_for("aws.profile (for Bedrock: play, work) [work]: ")
        one.type("\n")
        one.wait_for("aws.region")
        one.type("\n")
        one.wait_for("description")
        one.type("\n")
        status, _ = one.finish()

    assert status == 0
    assert 'profile = "work"' in text_of(empty_world, "mine")


def test_ctrl_c_at_a_question_is_130_and_writes_nothing(empty_world: World) -> None:
    before = empty_world.files()
    with talk(empty_world, "profiles", "new", "mine") as one:
        one.wait_for("start from which profile?")
        one.type("\x03")
        status, out = one.finish()

    assert (status, out) == (130, "")
    assert empty_world.files() == before


def test_ctrl_c_in_the_editor_is_the_editors(empty_world: World) -> None:
    path = empty_world.write_profile("mine", MINE)
    env = editor(
        empty_world,
        "def note(*_):\n"
        f"    draft.write_text({MINE + 'listen.port = 4100'!r})\n"
        "    os._exit(0)\n"
        "signal.signal(signal.SIGINT, note)\n"
        "print('editing', file=sys.stderr, flush=True)\n"
        "time.sleep(30)",
    )
    with talk(empty_world, "profiles", "edit", "mine", **env) as one:
        one.wait_for("editing")
        one.type("\x03")
        status, _ = one.finish()

    assert status == 0
    assert path.read_text() == MINE + "listen.port = 4100"


def test_an_editor_may_be_stopped_by_ctrl_c_as_anywhere(empty_world: World) -> None:
    empty_world.write_profile("mine", MINE)
    env = editor(
        empty_world,
        "signal.signal(signal.SIGINT, signal.SIG_DFL) if signal.getsignal(signal.SIGINT) is not "
        "signal.SIG_IGN else None\n"
        "print('editing', file=sys.stderr, flush=True)\n"
        "time.sleep(30)",
    )
    with talk(empty_world, "profiles", "edit", "mine", **env) as one:
        one.wait_for("editing")
        one.type("\x03")
        status, _ = one.finish()

    assert status == 1
    assert "was ended by SIGINT; nothing changed" in one.shown


def test_mistakes_are_shown_and_edited_again(empty_world: World) -> None:
    path = empty_world.write_profile("mine", MINE)
    env = editor(
        empty_world,
        f"draft.write_text({MINE + 'listen.port = 4100'!r} if 'tirs' in draft.read_text() "
        f"else {BROKEN!r})",
    )
    with talk(empty_world, "profiles", "edit", "mine", **env) as one:
        one.wait_for("unknown key")
        one.wait_for("edit again")
        one.type("\n")
        status, _ = one.finish()

    assert status == 0
    assert path.read_text() == MINE + "listen.port = 4100"


def test_a_profile_from_elsewhere_is_kept_after_a_yes(empty_world: World) -> None:
    friend = empty_world.root / "friend.toml"
    friend.write_text(MINE + '[aws]\nprofile = "openclaude"\n')
    with talk(empty_world, "profiles", "import", str(friend)) as one:
        one.wait_for("aws.profile")
        one.wait_for("save it as `friend`?")
        one.type("yes\n")
        status, _ = one.finish()

    assert status == 0
    assert text_of(empty_world, "friend") == friend.read_text()


def test_a_profile_is_removed_after_a_yes(empty_world: World) -> None:
    path = empty_world.write_profile("mine", MINE)
    with talk(empty_world, "profiles", "remove", "mine") as one:
        one.wait_for("remove `")
        one.type("y\n")
        status, _ = one.finish()

    assert (status, path.exists()) == (0, False)


# --- without a terminal: never a question


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        (
            ("remove", "mine"),
            "error: `openclaude profiles remove mine` needs confirmation, "
            "but there is no terminal\n"
            "\nhint: add `--yes`\n",
        ),
        (
            ("import", "ROOT/friend.toml"),
            "error: `openclaude profiles import` needs confirmation, but there is no terminal\n"
            "\nhint: read the file, then add `--yes`\n",
        ),
    ],
)
def test_what_would_ask_says_what_to_add(
    empty_world: World, arguments: tuple[str, ...], err: str
) -> None:
    empty_world.write_profile("mine", MINE)
    (empty_world.root / "friend.toml").write_text(MINE)
    given = [one.replace("ROOT", str(empty_world.root)) for one in arguments]

    done = empty_world.run("profiles", *given)

    assert done[:3] == (2, "", err)
    assert text_of(empty_world, "mine") == MINE


def test_an_edit_with_mistakes_is_2_and_the_next_one_goes_on(empty_world: World) -> None:
    path = empty_world.write_profile("mine", MINE)
    good = MINE + "listen.port = 4100\n"
    env = editor(
        empty_world,
        f"draft.write_text({good!r} if 'tirs' in draft.read_text() else {BROKEN!r})",
    )

    first = empty_world.run("profiles", "edit", "mine", env={**empty_world.env, **env})
    kept = next(empty_world.profiles.glob(".mine.*.draft.toml"))
    assert (first.status, first.out, path.read_text()) == (2, "", MINE)
    assert f"your changes are kept in `{empty_world.plain(str(kept))}`" in first.err
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == (BROKEN, 0o600)
    second = empty_world.run("profiles", "edit", "mine", env={**empty_world.env, **env})

    assert (second.status, path.read_text()) == (0, good)
    assert [one.name for one in empty_world.profiles.glob("*.toml")] == ["mine.toml"]
    assert not kept.exists()


# --- many at once, and kills


def test_changes_at_the_same_time_are_all_kept(empty_world: World) -> None:
    empty_world.write_profile("mine", MINE)
    changes = [("listen.port", "4100"), ("listen.strict", "true"), ("stack.linger", "1h")]
    changes += [("stack.idle_sleep", "1h"), ("agents.explore", "haiku"), ("description", "d")]
    running = [
        empty_world.start("profiles", "set", key, value, "--profile", "mine")
        for key, value in changes
    ]
    for process in running:
        with process:
            assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0

    shown = empty_world.json("profiles", "show", "mine")["data"]["values"]
    found = [shown["listen"], shown["stack"], shown["agents"]["explore"], shown["description"]]
    assert found == [
        {"port": 4100, "strict": True, "tls": True},
        {"idle_sleep": "1h", "linger": "1h"},
        "haiku",
        "d",
    ]


# where the process dies: around the one call that replaces the file
DEATHS = {
    "before": "die()",
    "after": "real(*given)\n    die()",
}


@pytest.mark.parametrize("moment", DEATHS)
def test_a_change_that_is_killed_leaves_the_old_or_the_new_file(
    empty_world: World, moment: str
) -> None:
    path = empty_world.write_profile("mine", MINE)
    plain = (empty_world.bin / "openclaude").read_text()
    empty_world.script(
        "openclaude",
        "import os, signal, sys\nreal = os.replace\n"
        "def die():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"def replace(*given):\n    {DEATHS[moment]}\n"
        "os.replace = replace\n"
        "from openclaude.cli import main\nsys.exit(main())\n",
    )
    arguments = ("profiles", "set", "listen.port", "4100", "--profile", "mine")

    killed = empty_world.run(*arguments)

    new = MINE + "\n[listen]\nport = 4100\n"
    assert killed.status == -signal.SIGKILL
    assert path.read_text() == {"before": MINE, "after": new}[moment]
    empty_world.executable("openclaude", plain)
    assert empty_world.run(*arguments).status == 0
    assert path.read_text() == new


def test_a_killed_edit_loses_no_text(empty_world: World) -> None:
    path = empty_world.write_profile("mine", MINE)
    typed = MINE + "listen.port = 4100\n"
    env = editor(empty_world, f"draft.write_text({typed!r})\nos.kill(os.getppid(), signal.SIGKILL)")

    killed = empty_world.run("profiles", "edit", "mine", env={**empty_world.env, **env})
    assert (killed.status, path.read_text()) == (-signal.SIGKILL, MINE)
    again = empty_world.run("profiles", "edit", "mine", env={**empty_world.env, "EDITOR": "true"})

    assert (again.status, path.read_text()) == (0, typed)


def test_two_editors_of_one_profile_do_not_overwrite_each_other(empty_world: World) -> None:
    path = empty_world.write_profile("mine", MINE)
    flag = empty_world.root / "go"
    env = editor(
        empty_world,
        f"flag = Path({str(flag)!r})\n"
        "draft.write_text(draft.read_text() + 'listen.port = 4100\\n')\n"
        "deadline = time.monotonic() + 30\n"
        "while not flag.exists() and time.monotonic() < deadline: time.sleep(0.01)",
    )
    with empty_world.start("profiles", "edit", "mine", env={**empty_world.env, **env}) as slow:
        until(lambda: any("4100" in one.read_text() for one in drafts(empty_world)))

        quick = empty_world.run(
            *("profiles", "edit", "mine"),
            env={**empty_world.env, **other_editor(empty_world)},
        )
        flag.touch()
        _, err = slow.communicate(timeout=120)

    assert quick.status == 0
    assert slow.returncode == 1
    assert "was changed by another program meanwhile" in err
    assert path.read_text() == MINE + "listen.port = 4200\n"
    assert [one.read_text() for one in drafts(empty_world)] == [MINE + "listen.port = 4100\n"]


def drafts(world: World) -> list[Path]:
    """Return the drafts that are being edited, or were kept."""
    return sorted(world.profiles.glob(".mine.*.draft.toml"))


def other_editor(world: World) -> dict[str, str]:
    """An editor that finishes at once."""
    script = world.bin / "quick-editor.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\ndraft = Path(sys.argv[1])\n"
        "draft.write_text(draft.read_text() + 'listen.port = 4200\\n')\n"
    )
    return {"VISUAL": shlex.join([sys.executable, str(script)])}


# --- the default


def test_every_word_means_the_profile_that_use_chose(empty_world: World) -> None:
    assert empty_world.json("compile")["data"]["profile"] == "qwen"

    assert empty_world.run("profiles", "use", "base")[:2] == (0, "`base` is the default\n")

    assert empty_world.json("compile")["data"]["profile"] == "base"
    assert empty_world.run("stop").out == "base: not running\n"
    assert "no logs of `base`" in empty_world.run("logs").err
    named = {**empty_world.env, "OPENCLAUDE_PROFILE": "qwen"}
    assert empty_world.json("compile", env=named)["data"]["profile"] == "qwen"
    assert empty_world.json("compile", "--profile", "qwen")["data"]["profile"] == "qwen"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("no name", "does not contain a profile name"),
        ("gone", "names the profile `gone`, which does not exist"),
    ],
)
def test_a_launch_with_a_broken_default_says_what_mends_it(
    empty_world: World, content: str, why: str
) -> None:
    path = empty_world.profiles.parent / "default"
    path.parent.mkdir(parents=True)
    path.write_text(content)

    done = empty_world.run("-p", "hi")

    assert done[:3] == (
        125,
        "",
        f"error: `{empty_world.plain(str(path))}` {why}\n\n"
        "hint: choose the default with `openclaude profiles use NAME`\n",
    )
    assert empty_world.heard() == []


# --- the contract of --json


SET = ("name", "path", "key", "keys")
JSON = [
    (("new", "x"), 0, ["name", "path"]),
    (("copy", "qwen", "x"), 0, ["name", "path"]),
    (("set", "listen.port", "4100"), 0, [*SET, "changed", "notes"]),
    (("unset", "extends", "--profile", "mine"), 0, [*SET, "changed", "notes"]),
    (("unset", "listen.port"), 1, []),
    (("set", "listen.port", "80"), 2, []),
    (("edit", "mine"), 0, ["name", "path", "changed", "notes"]),
    (("use", "mine"), 0, ["default", "path", "notes"]),
    (("use", "--clear"), 0, ["default", "path", "notes"]),
    (("rename", "mine", "x"), 0, ["name", "path", "was", "extended_by", "notes"]),
    (("remove", "mine", "--yes"), 0, ["name", "path", "notes"]),
    (("remove", "mine"), 2, []),
    (("diff", "mine", "qwen"), 0, ["a", "b", "differences"]),
    (("diff", "mine", "base"), 1, ["a", "b", "differences"]),
    (("path",), 0, ["path"]),
    (("path", "mine"), 0, ["name", "path", "from"]),
    (("export", "mine"), 0, ["name", "text", "sources", "path"]),
    (("import", "mine.toml", "x", "--yes"), 0, ["name", "path", "exposed", "disclosures"]),
]


@pytest.mark.parametrize(
    ("arguments", "status", "keys"), JSON, ids=[" ".join(row[0]) for row in JSON]
)
def test_each_action_answers_in_one_envelope(
    empty_world: World, arguments: tuple[str, ...], status: int, keys: list[str]
) -> None:
    empty_world.write_profile("mine", MINE)

    done = empty_world.run(
        *("profiles", *arguments, "--json"),
        cwd=empty_world.profiles,
        env={**empty_world.env, "EDITOR": "true"},
    )

    envelope = json.loads(done.out)
    assert list(envelope) == ENVELOPE
    assert envelope["command"] == ["profiles", arguments[0]]
    assert (done.status, envelope["exit_code"], list(envelope["data"])) == (status, status, keys)
    assert bool(envelope["errors"]) == (status != 0 and not keys)
    assert done.err == ""
