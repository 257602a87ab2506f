"""What the zipapp contains: every locked package, each with a free licence, and a list of them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.conftest import REPOSITORY
from tests.packages.conftest import DIST, built

# build/ is not a package: it has no __init__.py
sys.path.insert(0, str(REPOSITORY / "build/sbom.d"))
from contents import Contents, read_contents, read_package
from licences import inventory, is_free, not_free, read_rules

RULES = read_rules(REPOSITORY / "build/sbom.d/licences.toml")
ELSEWHERE = {"colorama", "httpx2-jsfetch", "pywin32", "tzdata"}  # other platforms
if sys.version_info >= (3, 12):
    ELSEWHERE.add("async-timeout")  # for 3.11.2 and older, as Debian 12 has
REMOVED = {"hf-xet"}  # removals.toml says why


@pytest.fixture(scope="module")
def contents(archive: Path) -> Contents:
    """The contents of the zipapp."""
    return read_contents(archive)


@pytest.fixture(scope="module")
def bom(archive: Path) -> dict[str, Any]:
    """Its bill of materials."""
    return dict(json.loads(built(f"{archive.stem}.cdx.json").read_bytes()))


def test_everything_locked_is_carried_and_nothing_else(contents: Contents) -> None:
    lock = (REPOSITORY / "build/requirements.lock").read_text()
    locked = set(re.findall(r"(?m)^([\w.-]+)==", lock)) - ELSEWHERE - REMOVED

    assert {package.name for package in contents.packages} == {*locked, "openclaude"}


def test_every_licence_is_free(contents: Contents) -> None:
    assert not_free(inventory(contents, RULES), RULES) == []


@pytest.mark.parametrize(
    ("expression", "free"),
    [
        ("MIT", True),
        ("MIT AND MPL-2.0", True),
        ("MIT AND LicenseRef-Proprietary", False),
        ("MIT OR LicenseRef-Proprietary", True),
        ("MPL-2.0 AND (Apache-2.0 OR Strange)", True),
        ("(MIT OR 0BSD) AND Strange", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("GPL-3.0-or-later", False),
        ("LicenseRef-Proprietary", False),
        ("see the file LICENSE", False),
        ("__import__('os')", False),
        ("", False),
    ],
)
def test_an_expression_is_free_when_one_of_each_choice_is(expression: str, free: bool) -> None:
    assert is_free(expression, RULES.free) is free


def test_a_proprietary_package_is_found(contents: Contents) -> None:
    stranger = read_package(
        "Name: litellm-enterprise\nVersion: 1\nLicense-Expression: LicenseRef-Proprietary\n"
    )
    with_it = contents._replace(packages=(*contents.packages, stranger))

    (found,) = not_free(inventory(with_it, RULES), RULES)
    assert found.name == "litellm-enterprise"


def test_libraries_inside_wheels_are_told_of(contents: Contents) -> None:
    names = {thing.name for thing in inventory(contents, RULES)}

    assert {"libsndfile (inside soundfile)", "OpenBLAS (inside numpy)"} <= names


def test_the_bill_of_materials_is_valid_and_whole(
    archive: Path, bom: dict[str, Any], contents: Contents
) -> None:
    text = built(f"{archive.stem}.cdx.json").read_text()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    named = {part["name"]: part["version"] for part in bom["components"]}
    there = {one.name: one.version for one in contents.packages if one.name != "openclaude"}
    assert named == there
    assert bom["metadata"]["component"]["name"] == "openclaude"


def test_every_file_of_a_release_has_its_checksum() -> None:
    from hashlib import sha256

    lines = (DIST / "SHA256SUMS").read_text().splitlines()
    sums = {name: told for told, name in (line.split("  ") for line in lines)}

    files = {path.name for path in DIST.iterdir()} - {"SHA256SUMS"}
    assert set(sums) == files
    for name, told in sums.items():
        assert sha256((DIST / name).read_bytes()).hexdigest() == told
