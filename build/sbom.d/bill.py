"""Write a zipapp's bill of materials and its inventory of licences beside it.

Knows: CycloneDX. Independent of: how a zipapp is read (contents.py), what is free (licences.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from contents import Contents, read_contents
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from licences import Rules, inventory, licence_of, not_free, read_rules, show
from packageurl import PackageURL

HERE = Path(__file__).parent
OURS = "openclaude"


def main(archives: Iterable[str]) -> int:
    """Write both files for each; return 1 if a licence is not free."""
    rules = read_rules(HERE / "licences.toml")
    status = 0
    for archive in map(Path, archives):
        contents = read_contents(archive)
        things = inventory(contents, rules)
        archive.with_suffix(".licences.txt").write_text(show(things), encoding="utf-8")
        text = JsonV1Dot6(make_bom(contents, rules)).output_as_string(indent=1)
        archive.with_suffix(".cdx.json").write_text(text + "\n", encoding="utf-8")
        for thing in not_free(things, rules):
            sys.stderr.write(f"sbom: {thing.name}: no free licence: {thing.licence or 'none'}\n")
            status = 1
        sys.stdout.write(f"sbom: {archive}: {len(contents.packages)} packages\n")
    return status


def make_bom(contents: Contents, rules: Rules) -> Bom:
    """Return the packages and their dependencies; the same contents give the same text."""
    components = {
        package.name: Component(
            name=package.name,
            version=package.version,
            type=ComponentType.APPLICATION if package.name == OURS else ComponentType.LIBRARY,
            description=package.summary or None,
            licenses=[LicenseFactory().make_from_string(licence_of(package, rules))],
            purl=PackageURL("pypi", name=package.name, version=package.version),
            bom_ref=f"{package.name}@{package.version}",
        )
        for package in contents.packages
    }
    bom = Bom(components=[one for name, one in components.items() if name != OURS])
    bom.metadata.component = components[OURS]
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.serial_number = uuid5(NAMESPACE_URL, "\n".join(sorted(map(str, components.values()))))
    bom.dependencies = [
        Dependency(
            components[package.name].bom_ref,
            [
                Dependency(components[name].bom_ref)
                for name in set(package.requires)
                if name in components
            ],
        )
        for package in contents.packages
    ]
    return bom


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
