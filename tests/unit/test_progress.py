"""`--progress`: what pytest reports to build/test while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import progress
from tests.blocked import CATEGORY

pytestmark = pytest.mark.slow  # each runs a pytest of its own

CONFTEST = f"""
from pathlib import Path
import pytest
from tests.blocked import Blocked
from {progress.__name__} import Progress

def pytest_configure(config):
    config.pluginmanager.register(Blocked())
    config.pluginmanager.register(Progress(config, Path("told")))

@pytest.fixture(scope="session")
def stack():
    raise AssertionError

@pytest.fixture
def left():
    yield
    raise AssertionError
"""
TESTS = """
import pytest

@pytest.mark.parametrize("text", ["a\\tb\\n"])
def test_a(text): pass
def test_b(): assert False
def test_c(): pytest.skip("no")
def test_d(stack): pass
def test_e(stack): pass
def test_f(left): pass
"""


def test_every_outcome_is_told_as_it_comes(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_x=TESTS)

    pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")

    told = (pytester.path / "told").read_text().replace("test_x.py::test_", "").splitlines()
    assert [line.split("\t") for line in told] == [
        ["total", "6"],
        *(["start", "a[a\\tb\\n]"], ["passed", "a[a\\tb\\n]"]),
        *(["start", "b"], ["failed", "b"]),
        *(["start", "c"], ["skipped", "c"]),
        *(["start", "d"], ["error", "d"]),
        *(["start", "e"], [CATEGORY, "e"]),
        *(["start", "f"], ["passed", "f"], ["error", "f"]),
    ]


def test_a_line_is_there_before_the_next_test_begins(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        "from pathlib import Path\n"
        "def test_a(): pass\n"
        "def test_b(): assert Path('told').read_text().endswith('start\\ttest_x.py::test_b\\n')\n"
    ).rename(Path("test_x.py"))

    run = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")

    run.assert_outcomes(passed=2)
