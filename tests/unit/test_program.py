"""Which command removes openclaude, and which restores it: the installer has left a mark."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from openclaude.program import (
    ExtraMissing,
    Program,
    adding_sentence,
    find_program,
    how_to_add,
    require_otel,
    restoring_command,
)


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


LOCKED = "--no-deps --require-hashes -r '/x y/requirements.lock'"


@pytest.mark.parametrize(
    ("by", "has_pip", "command"),
    [
        ("pip", True, f"/v/bin/python -m pip install {LOCKED}"),
        ("pip", False, f"uv pip install --python /v/bin/python {LOCKED}"),
        ("checkout", True, f"/v/bin/python -m pip install {LOCKED}"),
        ("pipx", True, f"pipx runpip v install {LOCKED}"),
        ("pipx", False, f"pipx runpip v install {LOCKED}"),
        ("uv", False, f"uv pip install --python /v/bin/python {LOCKED}"),
        ("nix", False, "nix-store --repair-path /v"),
        ("zipapp", False, "rm -r /v/lib"),
    ],
)
def test_each_way_has_its_command_that_restores_the_packages(
    by: str, has_pip: bool, command: str
) -> None:
    restoring = restoring_command(
        by,
        package=Path("/v/lib/site-packages/openclaude"),
        prefix=Path("/v"),
        python="/v/bin/python",
        lock="/x y/requirements.lock",
        has_pip=has_pip,
    )

    assert restoring == command


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        ("pipx", "add it: `pipx runpip v install x`"),
        (
            "zipapp",
            "the zipapp cannot be extended: install openclaude with pipx, uv or pip instead "
            "(docs/install.md), or remove `telemetry`",
        ),
        (
            "nix",
            "a package of Nix cannot be extended: install openclaude with pipx, uv or pip instead "
            "(docs/install.md), or remove `telemetry`",
        ),
    ],
)
def test_packages_of_an_extra_are_added_by_hash_where_that_is_possible(
    by: str, sentence: str
) -> None:
    assert adding_sentence(by, "pipx runpip v install x") == sentence


def test_this_installation_is_extended_by_the_lock_of_the_extra() -> None:
    assert "--no-deps --require-hashes -r" in how_to_add()
    assert "otel.lock" in how_to_add()


def test_missing_packages_are_one_sentence_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaude.program.OTEL", ("a-package-that-is-nowhere",))

    with pytest.raises(ExtraMissing) as raised:
        require_otel()

    assert str(raised.value) == "`telemetry` of this profile needs OpenTelemetry"
    assert raised.value.hint == how_to_add()
