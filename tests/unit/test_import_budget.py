"""What a launch imports: only what it needs, because every module costs time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

HEAVY = {
    *("pydantic", "tomlkit", "litellm", "yaml", "psutil", "rich", "click", "argparse", "boto3"),
    *("asyncio", "http.client", "urllib.request", "importlib.metadata", "subprocess", "tempfile"),
    *(
        "dataclasses",
        "inspect",
        "logging",
        "shutil",
        "ssl",
        "difflib",
        "traceback",
        "hashlib",
        "string",
    ),
    *("openclaude.profile.schema", "openclaude.profile.library", "openclaude.compile.compiler"),
}
# A launch up to its exec, which prints the imported modules instead.
LAUNCH = """
import json, os, sys
def tell(path, argv, env):
    print(json.dumps(sorted(sys.modules)))
    sys.stdout.flush()
    os._exit(0)
os.execve = tell
from openclaude.cli import main
sys.exit(main(["-p", "hi"]))
"""
# A running stack, as far as a launch makes requests to it.
SUPERVISOR = """
import json, os, socket, sys
from openclaude import __version__
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
answer = {"version": __version__, "is_stopping": False, "digest": sys.argv[2], "port": 4000,
          "main_key": "sk-test"}
connection, _ = listener.accept()
connection.recv(65536)
connection.sendall(json.dumps(answer).encode() + b"\\n")
connection.close()
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a user with an AWS profile and a claude."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(
        "[profile openclaude]\naws_access_key_id = AKIATEST\naws_secret_access_key = x\n"
    )
    (tmp_path / "claude").touch(0o755)
    return {
        "HOME": str(tmp_path),
        "PATH": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(REPOSITORY),
        "XDG_STATE_HOME": str(tmp_path / "s"),
    }


def python(code: str, *arguments: str, env: dict[str, str]) -> str:
    """Return what a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=env, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.reaches_out
def test_importing_the_door_imports_nothing_heavy(env: dict[str, str]) -> None:
    code = "import json, sys, openclaude.cli; print(json.dumps(sorted(sys.modules)))"

    assert HEAVY & set(json.loads(python(code, env=env))) == set()


@pytest.mark.reaches_out
def test_a_warm_launch_imports_nothing_heavy(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from openclaude.cli import main; import sys; sys.exit(main(['compile', '--json']))"
    digest = json.loads(python(code, env=env))["data"]["digest"]
    folder = tmp_path / "s" / "openclaude" / "stacks" / "qwen"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)  # for a path that is not too long for a Unix socket
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, "control.sock", digest], env=env, stdout=subprocess.PIPE
    ) as supervisor:
        assert supervisor.stdout
        assert supervisor.stdout.readline() == b"listening\n"

        imported = set(json.loads(python(LAUNCH, env=env)))

    assert "openclaude.run.launcher.launch" in imported
    assert HEAVY & imported == set()
