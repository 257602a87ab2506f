"""A shared fixture that failed is reported once, not once for each of its tests.

Knows: pytest keeps the exception of such a fixture and raises it again for every test that uses it,
with the whole report: one stack that started too slowly gave 812 errors with the same log.
Independent of: why a fixture failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

CATEGORY = "blocked"


@dataclass(slots=True, kw_only=True)
class Failure:
    """What one fixture raised, the test that first used it, and those that could not run."""

    fixture: str
    error: BaseException
    first: str = ""
    blocked: list[str] = field(default_factory=list)


class Blocked:
    """The plugin: further tests of a failed fixture are counted as `blocked`, with one line each.

    To pytest itself they are failed tests, so that its exit status is right.
    """

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        """Record what a shared fixture raises, for the innermost one that does."""
        try:
            return (yield)
        except (Exception, pytest.fail.Exception) as error:
            if fixturedef.scope != "function" and self.find(error) is None:
                self.failures.append(Failure(fixture=fixturedef.argname, error=error))
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Leave the first error as it is, and make one line of each that follows."""
        report = yield
        failure = self.find(call.excinfo.value) if call.excinfo else None
        if failure and not failure.first:
            failure.first = item.nodeid
        elif failure:
            failure.blocked.append(item.nodeid)
            report.longrepr = (
                f"the fixture `{failure.fixture}` failed before: see the error of {failure.first}"
            )
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Count them separately: one error is one error."""
        blocked = (nodeid for failure in self.failures for nodeid in failure.blocked)
        if report.when != "teardown" and report.failed and report.nodeid in blocked:
            return CATEGORY, "B", ("BLOCKED", {"red": True})
        return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List what did not run and why, a line for each module."""
        for failure in self.failures:
            if failure.blocked:
                terminalreporter.section(f"blocked by the fixture `{failure.fixture}`")
                terminalreporter.line(f"it failed once, at {failure.first}; so these did not run:")
                modules = Counter(nodeid.partition("::")[0] for nodeid in failure.blocked)
                for module, count in sorted(modules.items()):
                    terminalreporter.line(f"BLOCKED [{count}] {module}")

    def find(self, error: BaseException) -> Failure | None:
        """Return the failure with this very exception."""
        return next((failure for failure in self.failures if failure.error is error), None)
