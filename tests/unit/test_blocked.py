"""A shared fixture that failed: one error, and a count of the tests that it blocked."""

from __future__ import annotations

import pytest

from tests import blocked

pytestmark = pytest.mark.slow  # each runs a pytest of its own

CONFTEST = f"""
import pytest
from {blocked.__name__} import Blocked

def pytest_configure(config):
    config.pluginmanager.register(Blocked())

@pytest.fixture(scope="session")
def stack():
    raise AssertionError("a long log")

@pytest.fixture
def page(stack):
    return stack
"""
TESTS = """
import pytest

@pytest.mark.parametrize("number", range(5))
def test_directly(stack, number): pass
def test_by_another_fixture(page): pass
def test_when_asked_for(request): request.getfixturevalue("stack")
def test_without(): pass
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.RunResult:
    """Run two modules that share a fixture which fails."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_one=TESTS, test_two=TESTS)
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-ra")


def test_a_shared_fixture_that_failed_is_one_error_and_the_rest_is_counted_apart(
    run: pytest.RunResult,
) -> None:
    run.assert_outcomes(passed=2, errors=1)
    assert "2 passed, 1 error, 13 blocked in " in run.outlines[-1]
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    # its log is there once, and the blocked are named by module
    assert run.outlines.count("E       AssertionError: a long log") == 1
    run.stdout.fnmatch_lines(
        [
            "* blocked by the fixture `stack` *",
            "it failed once, at test_one.py::test_directly[[]0]; so these did not run:",
            "BLOCKED [[]6[]] test_one.py",
            "BLOCKED [[]7[]] test_two.py",
        ]
    )


@pytest.mark.parametrize("scope", ["function", "module"])
def test_a_fixture_made_anew_fails_for_each_that_has_one_of_its_own(
    pytester: pytest.Pytester, scope: str
) -> None:
    pytester.makeconftest(CONFTEST.replace("session", scope))
    pytester.makepyfile(test_one=TESTS, test_two=TESTS)

    run = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")

    found = run.parseoutcomes()
    assert found.get("errors") == {"function": 12, "module": 2}[scope]
    assert found.get("failed", 0) == {"function": 2, "module": 0}[scope]
    assert found.get("blocked", 0) == {"function": 0, "module": 12}[scope]


def test_a_fixture_that_skips_blocks_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST.replace("raise AssertionError", "pytest.skip"))
    pytester.makepyfile(TESTS)

    run = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")

    run.assert_outcomes(passed=1, skipped=7)
    assert run.ret == pytest.ExitCode.OK
