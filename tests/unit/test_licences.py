"""No dependency has a licence that is not free: read from the packages that are installed here."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# build/ is no package: it has no __init__.py
sys.path.insert(0, str(ROOT / "build/sbom.d"))
from contents import Contents, Package, normal, read_package  # noqa: E402
from licences import inventory, not_free, read_rules  # noqa: E402

RULES = read_rules(ROOT / "build/sbom.d/licences.toml")
LOCK = (ROOT / "build/requirements.lock").read_text(encoding="utf-8")
LOCKED = {normal(name) for name in re.findall(r"(?m)^([\w.-]+)==", LOCK)}


@pytest.fixture(scope="module")
def installed() -> Contents:
    """What is installed of the lock."""
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
