"""`openclaude export`: what each service manager would read."""

from __future__ import annotations

import configparser
import json
import os
import plistlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from openclaude.cli import main
from openclaude.commands.export.command import ROLE, TARGETS
from openclaude.export.services import MANAGERS, Service, launchd, process_compose, systemd
from openclaude.export.socket_units import socket_units
from tests.conftest import need

PLAIN = Service("qwen", ("/home/me/.local/bin/openclaude",), {})
ODD = Service(
    "openai",
    ('/home/a b/50% $HOME/"bin"/openclaude',),
    {"XDG_CONFIG_HOME": "/home/a b/50% $x", "XDG_STATE_HOME": "/state"},
    ("OPENAI_API_KEY",),
)
CANARY = "sk-canary-0123456789abcdef"


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("service", [PLAIN, ODD], ids=["plain", "odd"])
def test_the_files_are_those_that_were_read(
    manager: str, service: Service, golden: Callable[[str, str], None]
) -> None:
    ((name, text),) = MANAGERS[manager](service).items()

    golden(f"{service.profile}.{name}", text)


def unit(service: Service) -> configparser.ConfigParser:
    """Read a unit as systemd does, roughly: a key may come again."""
    parser = configparser.RawConfigParser(strict=False, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    (text,) = systemd(service).values()
    parser.read_string(text)
    return parser  # type: ignore[return-value]


def test_a_unit_starts_waits_and_stops_without_a_question() -> None:
    service = unit(PLAIN)["Service"]

    assert service["ExecStart"] == "/home/me/.local/bin/openclaude start qwen --wait"
    assert service["ExecStop"] == "/home/me/.local/bin/openclaude stop qwen --yes"
    assert service["RemainAfterExit"] == "yes"


def test_what_systemd_would_expand_is_escaped() -> None:
    service = unit(ODD)["Service"]

    assert service["ExecStart"].startswith(
        r'/bin/sh -c "exec \"$$0\" \"$$@\"" "/home/a b/50%% $$HOME/\"bin\"/openclaude" start openai'
    )


def test_an_agent_is_a_property_list_that_leaves_the_proxies_alive() -> None:
    ((name, text),) = launchd(ODD).items()

    agent = plistlib.loads(text.encode())
    assert name == f"{agent['Label']}.plist"
    assert agent["ProgramArguments"] == [ODD.program[0], "start", "openai"]
    assert agent["AbandonProcessGroup"] is True
    assert agent["EnvironmentVariables"] == ODD.folders


def test_process_compose_stops_what_it_has_started() -> None:
    (text,) = process_compose(PLAIN).values()

    (process,) = yaml.safe_load(text)["processes"].values()
    assert process["command"] == "/home/me/.local/bin/openclaude start qwen --wait"
    assert process["is_daemon"] is True
    assert process["shutdown"]["command"] == "/home/me/.local/bin/openclaude stop qwen --yes"


@pytest.mark.parametrize("manager", MANAGERS)
def test_no_file_holds_a_secret(
    manager: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    openclaude = tmp_path / "openclaude"
    openclaude.write_text("#!/bin/sh\n")
    openclaude.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)

    assert main(["export", manager, "openai", "--json"]) == 0
    out = capsys.readouterr().out
    assert main(["export", manager, "openai", "--out", str(tmp_path / "out")]) == 0

    assert CANARY not in out + capsys.readouterr().out
    assert json.loads(out)["data"]["variables"] == ["OPENAI_API_KEY"]
    (written,) = (tmp_path / "out").iterdir()
    assert CANARY not in written.read_text()
    assert str(openclaude) in written.read_text()


def test_without_its_own_path_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["nowhere"])

    assert main(["export", "systemd", "qwen"]) == 1
    assert "a service needs the path of `openclaude`" in capsys.readouterr().err


# For other machines -------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [PLAIN, ODD], ids=["plain", "odd"])
def test_the_units_of_a_socket_are_those_that_were_read(
    service: Service, golden: Callable[[str, str], None]
) -> None:
    for name, text in socket_units(service).items():
        golden(f"{service.profile}.{name}", text)


@pytest.mark.reaches_out
@pytest.mark.parametrize("service", [PLAIN, ODD], ids=["plain", "odd"])
def test_systemd_itself_finds_nothing_wrong_with_any_unit(service: Service, tmp_path: Path) -> None:
    need(shutil.which("systemd-analyze"), "systemd-analyze")
    # what it runs must be there, and PATH names of tests are not
    known = service._replace(program=("/bin/true", *service.program[1:]))
    files = {**systemd(known), **socket_units(known)}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    ran = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *(tmp_path / one for one in files)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of an openclaude that is in PATH."""
    openclaude = tmp_path / "bin" / "openclaude"
    openclaude.parent.mkdir()
    openclaude.write_text("#!/bin/sh\n")
    openclaude.chmod(0o755)
    monkeypatch.setenv("PATH", str(openclaude.parent))
    return tmp_path


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_writes_a_secret_and_each_says_where_it_is(
    target: str, found: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    out = found / "out"

    more = ("--host", "a.example") if target == "kubernetes" else ()
    assert main(["export", target, "openai", "--json", "--out", str(out), *more]) == 0

    data = json.loads(capsys.readouterr().out)["data"]
    texts = {path.name: path.read_text() for path in out.iterdir()}
    assert texts == data["files"]
    assert CANARY not in str(texts)
    assert data["variables"] == ["OPENAI_API_KEY"]
    modes = {path.name: path.stat().st_mode & 0o777 for path in out.iterdir()}
    # the user of a container is another one
    assert {mode for name, mode in modes.items() if name != "plan.json"} <= {0o600}
    assert modes.get("plan.json", 0o644) == 0o644


@pytest.mark.parametrize("target", ["compose", "kubernetes"])
def test_what_is_for_containers_names_nothing_of_this_machine(
    target: str, found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", target, "openai"]) == 0

    said = capsys.readouterr().out
    assert str(Path.home()) not in said
    assert str(found) not in said


@pytest.mark.parametrize("way", ["file", "link", "folder"])
def test_a_file_that_is_not_ours_stays_and_nothing_is_written(
    way: str, found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = found / "out"
    out.mkdir()
    theirs = found / "theirs" if way == "link" else out / "compose.yaml"
    if way == "folder":
        theirs.mkdir()
    else:
        theirs.write_text("services: {}  # beside openclaude\n")
    if way == "link":
        (out / "compose.yaml").symlink_to(theirs)

    assert main(["export", "compose", "openai", "--out", str(out)]) == 2

    assert "is not a file that openclaude has written" in capsys.readouterr().err
    assert [one.name for one in out.iterdir()] == ["compose.yaml"]
    assert way == "folder" or theirs.read_text() == "services: {}  # beside openclaude\n"


def test_what_openclaude_has_written_is_written_again_and_other_files_stay(
    found: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = found / "out"
    assert main(["export", "kubernetes", "openai", "--out", str(out), "--host", "b.example"]) == 0
    (out / "patch.yaml").write_text("mine\n")

    assert main(["export", "kubernetes", "openai", "--out", str(out), "--host", "a.example"]) == 0

    assert "a.example" in (out / "ingress.yaml").read_text()
    assert (out / "patch.yaml").read_text() == "mine\n"
    assert "kubectl apply -k" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compose", "my team"], "`my team` cannot be a profile name"),
        (["compose", "qwen", "--host", "a.example"], "`--host` is for kubernetes"),
        (["systemd", "qwen", "--image", "x"], "`--image` is for compose and kubernetes"),
        (["kubernetes", "qwen", "--host", "a b"], "`--host` cannot be `a b`"),
        (["kubernetes", "qwen", "--host", "a.example\n"], "`--host` cannot be `a.example"),
        (["kubernetes", "qwen", "--host", "a.-b"], "`--host` cannot be `a.-b`"),
        (["kubernetes", "qwen", "--host", "1.2e3.4"], "`--host` cannot be `1.2e3.4`"),
        (["kubernetes", "qwen", "--host", "a" * 64 + ".example"], "`--host` cannot be `aaa"),
        (["kubernetes", "qwen", "--out", "x"], "`--host` and `--role-arn` must be given"),
        (["kubernetes", "qwen", "--role-arn", f"{ROLE}\nx = y"], "`--role-arn` cannot be"),
        (["compose", "qwen", "--image", "-x"], "`--image` needs a value"),
        (["compose", "qwen", "--image", "a\nb: c"], "`--image` cannot be"),
        (["helm", "qwen"], "choose from"),
    ],
)
def test_what_cannot_be_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *words]) == 2

    assert said in capsys.readouterr().err


def test_a_profile_whose_models_are_on_this_machine_is_refused_with_a_way_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["export", "compose", "ollama", "--json"]) == 1

    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["code"] == "cannot-export"
    assert "http://127.0.0.1:11434" in error["message"]
