"""Cuts the schemas of Kubernetes' API that the tests need out of those of all its objects.

Knows: the wheel of `kubernetes-validate` (Apache-2.0, as Kubernetes' own specification is, from
which its schemas are made). Independent of: what is checked with them. The package itself is no
dependency: it has 17,000 files and 72 MB, of which this is 40 KB.

    pip download --no-deps kubernetes-validate==1.37.0
    python -m tests.kubernetes_schemas kubernetes_validate-1.37.0-py3-none-any.whl
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

VERSION = "1.37"
OUT = Path(__file__).parent / f"data/kubernetes-{VERSION}.json.xz"
INSIDE = "kubernetes_validate/kubernetes-json-schema/v{}.0-local-strict/_definitions.json"
KINDS = {
    "v1 ServiceAccount": "io.k8s.api.core.v1.ServiceAccount",
    "v1 ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "v1 Service": "io.k8s.api.core.v1.Service",
    "apps/v1 Deployment": "io.k8s.api.apps.v1.Deployment",
    "policy/v1 PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "autoscaling/v2 HorizontalPodAutoscaler": "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    "networking.k8s.io/v1 NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
    "networking.k8s.io/v1 Ingress": "io.k8s.api.networking.v1.Ingress",
}
REFERENCE = re.compile(r"#/\$defs/([^\"]+)")


def cut(definitions: dict[str, Any]) -> dict[str, Any]:
    """The definitions that the kinds need, without their descriptions."""
    kept: dict[str, Any] = {}
    wanted = list(KINDS.values())
    while wanted:
        name = wanted.pop()
        if name not in kept:
            kept[name] = without_words(definitions[name])
            wanted += REFERENCE.findall(json.dumps(kept[name]))
    return {
        "kinds": {kind: f"#/$defs/{name}" for kind, name in KINDS.items()},
        "$defs": dict(sorted(kept.items())),
    }


def without_words(schema: Any) -> Any:
    """A schema without what is for people; a property may be called `description`."""
    if isinstance(schema, list):
        return [without_words(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {key: without_words(one) for key, one in value.items()}
        if name == "properties"
        else without_words(value)
        for name, value in schema.items()
        if not (name == "description" and isinstance(value, str))
        if not name.startswith("x-kubernetes")
    }


def main() -> None:
    """Write the file."""
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        text = wheel.read(INSIDE.format(VERSION)).decode()
    found = json.dumps(cut(json.loads(text)["$defs"]), sort_keys=True)
    OUT.write_bytes(lzma.compress(found.encode(), preset=9))


if __name__ == "__main__":
    main()
