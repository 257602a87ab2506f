"""What our processes expose: no core dump when they crash, no key in what they start."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import need
from tests.process.world import package_environment

CRASH = "import os; {}; os.abort()"
OURS = "from openclaude.run.os.processes import leave_no_core; leave_no_core()"


@pytest.mark.parametrize(("first", "dumps"), [("pass", True), (OURS, False)])
def test_a_crash_leaves_a_core_unless_told_not_to(tmp_path: Path, first: str, dumps: bool) -> None:
    def allow() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, hard))

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    need(hard == resource.RLIM_INFINITY, "the right to leave a core")
    child = subprocess.Popen(
        [sys.executable, "-c", CRASH.format(first)], cwd=tmp_path, preexec_fn=allow
    )
    _, status = os.waitpid(child.pid, 0)
    child.returncode = status

    assert os.WIFSIGNALED(status)
    assert os.WCOREDUMP(status) is dumps
    assert bool(list(tmp_path.iterdir())) is dumps


ASK = """
import subprocess
from openclaude.run.worker.children import keep_environment_from_children
keep_environment_from_children()
print(subprocess.check_output(["/usr/bin/env"], text=True), end="")
print(subprocess.check_output(["/usr/bin/env"], text=True, env={"SAID": "so"}), end="")
"""


def test_what_an_instance_starts_gets_no_key() -> None:
    users = {"HOME": "/home/a", "LANG": "C.UTF-8"}
    given = {**users, "OPENCLAUDE_SECRET_1": "sk-CANARY", "LITELLM_MASTER_KEY": "sk-1"}

    found = subprocess.check_output(
        [sys.executable, "-c", ASK], env={**package_environment(), **given}, text=True
    )

    assert sorted(found.splitlines()) == ["HOME=/home/a", "LANG=C.UTF-8", "SAID=so"]
