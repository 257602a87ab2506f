"""`openclaude export`: what each service manager would read."""

from __future__ import annotations

import configparser
import json
import plistlib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from openclaude.cli import main
from openclaude.commands.export.services import MANAGERS, Service, launchd, process_compose, systemd

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
