"""build/sign signs checksums that are right, with whichever program of Sigstore's is there."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

BUNDLE = "SHA256SUMS.sigstore.json"
PROGRAMS = ("bash", "dirname", "sha256sum")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a release in dist/, and programs of its own."""
    for folder in ("build", "dist", "bin"):
        (tmp_path / folder).mkdir()
    shutil.copy(REPOSITORY / "build" / "sign", tmp_path / "build" / "sign")
    (tmp_path / "dist" / "openclaude.pyz").write_text("program")
    digest = hashlib.sha256(b"program").hexdigest()
    (tmp_path / "dist" / "SHA256SUMS").write_text(f"{digest}  openclaude.pyz\n")
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def install(checkout: Path, program: str) -> None:
    """Put a program there that writes down what it was asked."""
    path = checkout / "bin" / program
    path.write_text(f'#!/bin/sh\necho "{program} $*" >{BUNDLE}\n')
    path.chmod(0o755)


def sign(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run build/sign."""
    return subprocess.run(
        [checkout / "build" / "sign"],
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("programs", "asked"),
    [
        (
            ["cosign", "sigstore"],
            f"cosign sign-blob --yes --new-bundle-format --bundle {BUNDLE} SHA256SUMS\n",
        ),
        (["sigstore"], f"sigstore sign --overwrite --bundle {BUNDLE} SHA256SUMS\n"),
    ],
)
def test_the_checksums_are_signed(checkout: Path, programs: list[str], asked: str) -> None:
    for program in programs:
        install(checkout, program)

    ran = sign(checkout)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert (checkout / "dist" / BUNDLE).read_text() == asked


def test_what_was_changed_since_is_not_signed(checkout: Path) -> None:
    install(checkout, "cosign")
    (checkout / "dist" / "openclaude.pyz").write_text("another program")

    ran = sign(checkout)

    assert ran.returncode == 1
    assert "run build/release first" in ran.stderr
    assert not (checkout / "dist" / BUNDLE).exists()


def test_without_a_program_it_says_which_one_is_needed(checkout: Path) -> None:
    ran = sign(checkout)

    assert ran.returncode == 1
    assert "neither `cosign` nor `sigstore` is on PATH" in ran.stderr
