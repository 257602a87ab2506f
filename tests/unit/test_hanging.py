"""What happens to a test that hangs, and to those after it."""

from __future__ import annotations

import pytest

from tests import hanging
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.reaches_out]  # it runs a pytest of its own

CONFTEST = f"""
import subprocess, pytest
pytest_plugins = ("{hanging.__name__}",)

@pytest.fixture(scope="session")
def kept():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process

@pytest.fixture
def waits_at_its_end():
    process = subprocess.Popen(["sleep", "60"])
    yield
    process.wait()
"""
TESTS = """
import os, subprocess, time

def test_before(kept): time.sleep(0.1)
def test_sleeps(): time.sleep(60)
def test_hangs_beside_a_child():
    with subprocess.Popen(["sh", "-c", "sleep 61; :"]):
        time.sleep(60)
def test_fails_beside_a_child():
    with subprocess.Popen(["sh", "-c", "sleep 61; :"]):
        raise AssertionError("the child goes on")
def test_reads_what_never_comes():
    reading, writing = os.pipe()
    os.read(reading, 1)
def test_fails(waits_at_its_end): assert False
def test_after(kept):
    kept.stdin.write(b"there")
    kept.stdin.close()
    assert kept.stdout.read() == b"there"
"""


def test_what_hangs_fails_and_the_others_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_x=TESTS)

    run = pytester.runpytest_subprocess("-p", "no:randomly", "--timeout", "1", timeout=50)

    run.assert_outcomes(passed=2, failed=5, errors=1)
    run.stdout.fnmatch_lines_random(["*Timeout (>1.0s)*", "*the child goes on*"])
