"""YAML as people write it: long texts as they are, nothing by reference to another place.

Knows: YAML. Independent of: what is written. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def yaml_text(document: Mapping[str, Any]) -> str:
    """A document in the order written; a text that YAML would read as something else is quoted."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """One that writes several lines as several lines."""

    def write(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, write)
    # a copy without shared parts, which YAML would write as anchors and aliases
    bare = json.loads(json.dumps(document))
    return yaml.dump(bare, Dumper=Dumper, sort_keys=False, width=100)
