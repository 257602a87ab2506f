"""The completions and the man page are generated from the parsers, and up to date."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
@pytest.mark.reaches_out
def test_the_completions_and_the_man_page_fit_the_parsers() -> None:
    said = subprocess.run(
        [sys.executable, "-B", "build/share.d", "--check"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )

    assert (said.returncode, said.stderr) == (0, "")
