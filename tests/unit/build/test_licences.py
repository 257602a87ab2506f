"""Every dependency has a free licence: checked in the packages that are installed here."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions

import pytest

from tests.conftest import REPOSITORY

# build/ is not a package: it has no __init__.py
sys.path.insert(0, str(REPOSITORY / "build/sbom.d"))
from contents import Contents, Package, normal, read_package
from licences import inventory, not_free, read_rules

RULES = read_rules(REPOSITORY / "build/sbom.d/licences.toml")
LOCK = (REPOSITORY / "build/requirements.lock").read_text(encoding="utf-8")
LOCKED = {normal(name) for name in re.findall(r"(?m)^([\w.-]+)==", LOCK)}


@pytest.fixture(scope="module")
def installed() -> Contents:
    """Return the installed packages of the lock."""
    texts = [one.read_text("METADATA") or "" for one in distributions()]
    packages = [read_package(text) for text in texts if text]
    return Contents(tuple(one for one in packages if one.name in LOCKED), ())


def test_every_dependency_has_a_free_licence(installed: Contents) -> None:
    assert len(installed.packages) > 90
    assert not_free(inventory(installed, RULES), RULES) == []


def test_litellms_proprietary_package_would_be_found(installed: Contents) -> None:
    strange = Package("litellm-enterprise", "0.1", "", "LicenseRef-Proprietary", ())

    found = not_free(inventory(installed._replace(packages=(strange,)), RULES), RULES)

    assert [one.name for one in found] == ["litellm-enterprise"]
