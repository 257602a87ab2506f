"""An instance that is the first process of a container, which hears no signal without a handler."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from tests.conftest import need

IMPORTING = """
import time
from openclaude.run.worker.instance import ending_as_first
with ending_as_first():
    print("importing", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("options", [("-pf",), ("-rpf",)], ids=["as root", "as anybody"])
def test_it_ends_at_a_signal_that_comes_while_it_still_imports(options: tuple[str, ...]) -> None:
    probe = subprocess.run(["unshare", *options, "true"], capture_output=True, check=False)
    need(probe.returncode == 0, f"unshare {' '.join(options)}")
    argv = ["unshare", *options, "--kill-child", sys.executable, "-P", "-c", IMPORTING]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as outside:
        assert outside.stdout
        try:
            assert outside.stdout.readline() == "importing\n"
            (first,) = psutil.Process(outside.pid).children()
            first.send_signal(signal.SIGTERM)
            assert outside.wait(20) == 128 + signal.SIGTERM
        finally:
            outside.kill()
