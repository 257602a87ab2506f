"""`--progress FILE`: which test runs and the results so far, for build/test to display.

Knows: one line for each event, with fields separated by tabs. Independent of: who reads them.
"""

from __future__ import annotations

from pathlib import Path

import pytest


class Progress:
    """The plugin: writes `total N`, `start TEST`, and `OUTCOME TEST` with pytest's own words."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self.config = config
        self.file = path.open("w", encoding="utf-8", buffering=1)  # one line at a time

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write how many tests there are."""
        self.write("total", str(len(session.items)))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Write which test runs: the one to look at if nothing moves."""
        self.write("start", nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write its outcome: passed, failed, error, skipped, blocked."""
        category, _, _ = self.config.hook.pytest_report_teststatus(
            report=report, config=self.config
        )
        if category:
            self.write(category, report.nodeid)

    def pytest_unconfigure(self) -> None:
        """Close the file."""
        self.file.close()

    def write(self, *fields: str) -> None:
        """Write a line; a parameter in a test's name may contain anything."""
        self.file.write("\t".join(" ".join(field.split()) for field in fields) + "\n")
