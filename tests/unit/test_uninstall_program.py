"""Which command removes openclaude: whoever installed it has left a mark."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from openclaude.commands.uninstall_program import Program, find_program


def found_in(
    folder: Path, *, package: str = "lib/openclaude", called: str = "bin/openclaude"
) -> Program:
    return find_program(
        package=folder / package,
        prefix=folder,
        python="/usr/bin/python3",
        called=str(folder / called),
    )


@pytest.mark.parametrize(
    ("mark", "by", "command"),
    [
        ("pipx_metadata.json", "pipx", "pipx uninstall openclaude"),
        ("uv-receipt.toml", "uv", "uv tool uninstall openclaude"),
        ("pyvenv.cfg", "pip", "/usr/bin/python3 -m pip uninstall openclaude"),
    ],
)
def test_an_environment_says_who_made_it(tmp_path: Path, mark: str, by: str, command: str) -> None:
    (tmp_path / mark).touch()

    assert found_in(tmp_path) == Program(by, command)


def test_a_store_path_is_of_nix(tmp_path: Path) -> None:
    found = found_in(tmp_path, package="/nix/store/abc-openclaude-venv-0.1.0/lib/openclaude")

    assert found == Program("nix", "nix profile remove openclaude")


def test_a_zipapp_is_one_file_wherever_it_has_unpacked_itself(tmp_path: Path) -> None:
    archive = tmp_path / "my tools" / "openclaude"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("__main__.py", "")

    found = found_in(tmp_path, called="my tools/openclaude")

    assert found == Program("zipapp", f"rm '{archive}'")


def test_a_checkout_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pyproject.toml").touch()

    assert found_in(tmp_path) == Program("checkout", f"rm -r {tmp_path / 'lib'}")
