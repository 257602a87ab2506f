"""Printed commands that no other test carries out: typed as they are printed, they work.

tests/carried_out.py names the test of each. Those of openclaude that need no proxies run in this
process, as a command is then a tenth of what it takes to start one; all others in a shell.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from openclaude import cli
from openclaude.commands.demo import leftovers
from openclaude.commands.demo.leftovers import DemoNotRemoved, remove_demo
from openclaude.commands.uninstall.files import find_ours
from openclaude.errors import OpenclaudeError
from openclaude.files import FolderUnusable, LockHeld, locked, private_folder, write_private
from openclaude.ledger.store import Unusable, add, ledger_file, open_to_write
from openclaude.paths import find_places
from openclaude.run.stack.folder import SWITCH
from tests.conftest import need
from tests.printed import filled
from tests.process.world import TIMEOUT_S, World, until
from tests.second_user import second_user
from tests.unit.ledger.entries import entry

USER = 12346
COMMAND = re.compile(r"`([a-z]+ [^`]+)`")
MINE = 'schema = 1\nextends = "base"\n[tiers]\nhaiku = "openai/gpt-5-mini"\n'
HELP = "usage: openclaude "
# what is printed, what it says; in this order
SWEPT = {
    "openclaude --help": "Claude Code on the models you choose",
    "openclaude help": "Claude Code on the models you choose",
    **{
        f"openclaude {one} --help": f"{HELP}{one}"
        for one in (
            *("aws setup", "budget", "demo", "logs", "requests", "serve", "statusline"),
            "team usage",
        )
    },
    "openclaude COMMAND --help": f"{HELP}status",
    "openclaude {command} --help": f"{HELP}requests",
    "openclaude profiles list": "\n  mine ",
    "openclaude profiles use NAME": "`mine` is the default",
    "openclaude profiles set NAME tiers.haiku=MODEL aws.region=REGION": "set `tiers.haiku`, ",
    "openclaude profiles set NAME search.with=duckduckgo": "set `search.with` in ",
    "openclaude profiles set NAME {dotted(key)}='{example}'": "set `listen.port` in ",
    "openclaude profiles set {plan.profile} listen.port=PORT": "set `listen.port` in ",
    "openclaude profiles set {key_of(state.budget)} DOLLARS --profile {self._profile}": (
        "set `budget.day` in "
    ),
    "openclaude profiles set telemetry.prometheus=PORT --profile {profile}": (
        "set `telemetry.prometheus` in "
    ),
    "openclaude profiles set {name} budget.day=5.00": "nothing changed",
    "openclaude profiles edit": "nothing changed",
    "openclaude profiles edit {name}": "nothing changed",
    "openclaude profiles show": "search.with ",
    "openclaude profiles show {name}": "budget.day ",
    "openclaude profiles validate {name}": "`qwen` is valid",
    "openclaude profiles remove {name}": "removed",
    "openclaude budget allow 2.00 --today": "$2.0000 more",
    "openclaude budget allow {state.budget.dollars} {option}": "in all: $7.0000",
    "openclaude usage": "total",
    "openclaude requests": "    42  ",
    "openclaude requests show 42": "answered by  bedrock/qwen",
    "openclaude requests record": "for 10 minutes",
    "openclaude requests record --minutes 10": "for 10 minutes",
    "openclaude requests record --stop": "the recording has ended",
    "openclaude requests record --remove": "nothing was recorded",
    "openclaude models": "MODEL ",
    "openclaude models {split_prefix(model)[1]}": "MODEL ",
    "openclaude team add NAME --keys {keys}": "sk-openclaude-",
    "openclaude team add ann@example.com --keys FILE": "sk-openclaude-",
    "openclaude team limit {person.name} --keys FILE --{limit} DOLLARS": "`mine` has day=5.00",
    "openclaude team list --keys {keys}": "ann@example.com ",
    "openclaude team revoke {person} --keys {keys}": "removed one key of `mine`",
}
ANSWERED = {"openclaude profiles remove {name}": " --yes"}  # there is no terminal here


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a profile, a ledger of 42 requests and an editor that changes nothing."""
    home = tmp_path / "my home"
    profiles = home / ".config/openclaude/profiles"
    profiles.mkdir(parents=True)
    (profiles / "mine.toml").write_text(MINE)
    state = private_folder(home / ".local/state/openclaude")
    with closing(open_to_write(ledger_file(state))) as connection:
        add(connection, [entry(), entry(tier="opus")] * 21)
    for name in [name for name in os.environ if name.startswith(("OPENCLAUDE_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.chdir(home)
    return home


def test_what_needs_no_proxies_does_what_it_is_printed_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for printed, said in SWEPT.items():
        words = shlex.split(filled(printed) + ANSWERED.get(printed, ""))
        try:
            status = cli.main(words[1:])
        except SystemExit as ended:  # argparse, after a page of help
            status = int(ended.code or 0)

        out = capsys.readouterr()
        assert (printed, status, out.err) == (printed, 0, "")
        assert said in out.out, printed
    assert (home / "people.keys").read_text().startswith("ann@example.com ")


def test_copied_and_imported_profiles_have_the_name_that_is_typed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".config/openclaude/profiles/mine.toml").unlink()
    for printed in (
        "openclaude profiles copy {name} NAME",
        "openclaude profiles import - NAME --yes",
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MINE.encode())))

        status = cli.main(shlex.split(filled(printed))[1:])

        assert (status, capsys.readouterr().err) == (0, ""), printed
        (home / ".config/openclaude/profiles/mine.toml").unlink()


# with proxies, in this order: what is printed, what it says
WITH_PROXIES = [
    ("openclaude start --profile {name}", "qwen: started on https://"),
    ("openclaude start {name}", "qwen: already running on "),
    ("openclaude start", "qwen: already running on "),
    ("openclaude status", "qwen: up "),
    ("openclaude status --json", '"profile": "qwen"'),
    ("openclaude logs --profile {profile}", "supervisor"),
    ("openclaude restart", "qwen: restarted"),
    ("openclaude restart --profile {profile}", "qwen: restarted"),
    ("openclaude lock", "qwen: keys revoked\n"),
    ("openclaude stop", "qwen: stopped\n"),
    ("openclaude start {profile}", "qwen: started on https://"),
    ("openclaude stop --profile {name}", "qwen: stopped\n"),
    ("openclaude start {profile}", "qwen: started on https://"),
    ("openclaude stop --all", "qwen: stopped\n"),
]


def typed(env: Mapping[str, str], command: str, folder: Path, user: int | None = None) -> str:
    """Type a command; return what it says. It must succeed."""
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        env=dict(env),
        cwd=folder,
        user=user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, (command, done.stdout)
    return done.stdout


def test_what_is_about_proxies_does_what_it_is_printed_for(world: World) -> None:
    for printed, said in WITH_PROXIES:
        assert said in typed(world.env, filled(printed), world.home), printed
    assert world.processes() == []


def test_a_switch_is_undone_by_the_command_that_status_prints(world: World) -> None:
    world.up()
    write_private(world.folder() / SWITCH, '[tiers]\nhaiku = "bedrock/zai.glm-5"\n')
    shown = typed(world.env, "openclaude status --processes", world.home)
    (undo,) = re.findall(r"`(openclaude switch --undo[^`]*)`", shown)

    typed(world.env, undo, world.home)

    assert undo == "openclaude switch --undo qwen"
    assert "--undo" not in typed(world.env, "openclaude status --processes", world.home)
    assert not (world.folder() / SWITCH).exists()


# what a launch is printed as, and what claude gets
LAUNCHES = {
    "openclaude --profile {name}": [],
    "openclaude --profile {name} --continue": ["--continue"],
    "openclaude --continue": ["--continue"],
    "openclaude --continue --model MODEL": ["--continue", "--model", "claude"],
    "openclaude --resume ID --model {slot.tier}": ["--resume", "ID", "--model", "haiku"],
    "openclaude -p hi --model TIER": ["-p", "hi", "--model", "haiku"],
    'openclaude {EPHEMERAL} -p "..."': ["-p", "..."],
}
# what reaches claude itself
PASSED_ON = {
    "openclaude -- --help": ["--help"],
    "openclaude -- WORD": ["word"],
    "openclaude -- {quote(first)}": ["statsu"],
}


def test_a_launch_that_is_printed_is_a_launch(world: World) -> None:
    world.up()
    for printed in (*LAUNCHES, *PASSED_ON):
        assert typed(world.env, filled(printed), world.home) == "", printed

    heard = [one["arguments"] for one in world.heard()]
    launched = [one[2:] if one[:1] == ["--settings"] else one for one in heard]
    assert launched == [*LAUNCHES.values(), *PASSED_ON.values()]


# Other programs -----------------------------------------------------------------------------------


def hint_of(error: OpenclaudeError) -> str:
    """The first command that a hint prints."""
    found = COMMAND.search(error.hint)
    assert found, error.hint
    return found[1]


def test_a_ledger_that_cannot_be_read_is_moved_away_and_a_new_one_begins(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ledger_file(find_places(os.environ).state)
    path.write_text("no database")
    assert cli.main(["usage"]) == 1
    printed = COMMAND.findall(capsys.readouterr().err)

    typed(os.environ, printed[0], home)

    assert Path(f"{path}.old").read_text() == "no database"
    assert cli.main(["usage"]) == 0
    with closing(open_to_write(path)) as connection:
        add(connection, [entry()])
    assert cli.main(["usage", "qwen"]) == 0
    assert "no request" not in capsys.readouterr().out.splitlines()[-1]


def test_a_ledger_that_others_could_write_is_closed_to_them(tmp_path: Path) -> None:
    path = ledger_file(tmp_path / "my state")
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o777)
    with pytest.raises(Unusable) as refused:
        open_to_write(path)

    typed(os.environ, COMMAND.findall(str(refused.value))[0], tmp_path)

    open_to_write(path).close()


HOLDER = """\
import sys
from pathlib import Path
from openclaude.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_who_holds_a_lock_is_shown_and_the_lock_is_free_after_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(bool(shutil.which("fuser")), "fuser")
    monkeypatch.setattr("openclaude.files.LOCK_TIMEOUT_S", 0.1)
    path = tmp_path / "my lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(LockHeld) as held, locked(path):
            pass

        shown = typed(os.environ, hint_of(held.value), tmp_path)

        assert str(holder.pid) in shown.split()
        holder.send_signal(signal.SIGTERM)
    with locked(path):
        pass


def test_a_demo_that_could_not_be_removed_is_removed_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "END_TIMEOUT_S", 0.1)
    folder = tmp_path / "openclaude-demo my"
    closed = folder / "read only"
    closed.mkdir(parents=True)
    (closed / "file").touch()
    give(tmp_path, USER)
    closed.chmod(0o500)
    remove_demo(tmp_path / "none")  # imports everything, which that user may be unable to read
    with second_user(USER), pytest.raises(DemoNotRemoved) as raised:
        remove_demo(folder)

    typed({"PATH": "/usr/bin:/bin"}, hint_of(raised.value), tmp_path, USER)

    assert not folder.exists()


def test_a_folder_that_uninstall_cannot_read_is_opened(tmp_path: Path) -> None:
    places = find_places({"HOME": str(tmp_path / "my home")})
    closed = places.state / "stacks"
    closed.mkdir(parents=True)
    find_ours(places, purge=False)  # imports everything, which that user may be unable to read
    give(tmp_path, USER)
    closed.chmod(0)
    with second_user(USER), pytest.raises(FolderUnusable) as raised:
        find_ours(places, purge=False)

    typed({"PATH": "/usr/bin:/bin"}, hint_of(raised.value), tmp_path, USER)

    with second_user(USER):
        assert find_ours(places, purge=False)[0].folders == (closed, places.state)


def give(root: Path, user: int) -> None:
    """Give a folder with all that is in it to a user, who can get there."""
    for path in (root, *root.rglob("*")):
        os.chown(path, user, user)
    for above in root.parents:
        if above.stat().st_uid == os.geteuid() and above.is_relative_to("/tmp"):  # noqa: S108
            above.chmod(above.stat().st_mode | 0o011)


def test_what_only_looks_shows_what_it_is_printed_for(tmp_path: Path) -> None:
    folder = tmp_path / "my files"
    folder.mkdir()
    (folder / "file").write_text("x")
    where = shlex.quote(str(folder))

    assert "Filesystem" in typed(os.environ, "df -h", tmp_path)
    assert "my files" in typed(os.environ, f"du -sh {where}", tmp_path)
    assert "my files" in typed(os.environ, f"ls -ld {where}", tmp_path)
    assert str(os.getpid()) in typed(os.environ, f"ps -fp {os.getpid()}", tmp_path)
    assert typed(os.environ, "ulimit -n 1024; ulimit -n", tmp_path) == "1024\n"
    assert typed(os.environ, "ulimit -u", tmp_path).strip()
    assert "open files" in typed(os.environ, "ulimit -a", tmp_path)
    assert until(lambda: typed(os.environ, "ulimit -n", tmp_path).strip())
