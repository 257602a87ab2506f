"""A Redis beside a server, in which several processes count together what people use.

Knows: its image and command line, its objects for compose and Kubernetes. Independent of: what is
kept in it. Pure. The server alone reaches it; in Kubernetes that needs a network that heeds
policies, in compose it is a network of these two without a way out. What it loses the servers
bring along again, so Kubernetes keeps nothing of it; compose does, since there all ends at once.
"""

from __future__ import annotations

from typing import Any

from openclaude.export.network_policy import REDIS_PORT, redis_labels, tcp
from openclaude.export.served import Served, labels_of

# Redis as it was before its licence changed
IMAGE = "docker.io/valkey/valkey:8-alpine"
HOST = "redis"  # in compose, as is its network
USER, GROUP = 999, 1000  # of the image
COMMAND = (
    "valkey-server",
    "--save",
    "",
    "--maxmemory",
    "200mb",
    "--maxmemory-policy",
    "noeviction",
)


def redis_address(host: str) -> str:
    """Where the server finds it."""
    return f"redis://{host}:{REDIS_PORT}/0"


def redis_service() -> dict[str, Any]:
    """It for compose, in a network of its own with the server."""
    return {
        "image": IMAGE,
        "command": [*COMMAND, "--appendonly", "yes"],
        "user": f"{USER}:{GROUP}",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "volumes": [f"{HOST}:/data"],
        "networks": [HOST],
    }


def redis_objects(served: Served) -> dict[str, dict[str, Any]]:
    """It for Kubernetes, a file for each object."""
    name, labels = redis_name(served), redis_labels(served)
    metadata = {"name": name, "labels": labels}
    container = {
        "name": "redis",
        "image": IMAGE,
        "args": [*COMMAND, "--appendonly", "no"],
        "ports": [{"name": "redis", "containerPort": REDIS_PORT}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
        "readinessProbe": {"tcpSocket": {"port": "redis"}, "periodSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": "redis"}, "periodSeconds": 20},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            **{"runAsUser": USER, "runAsGroup": GROUP, "fsGroup": GROUP},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    return {
        "redis-deployment.yaml": {
            **{"apiVersion": "apps/v1", "kind": "Deployment"},
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "strategy": {"type": "Recreate"},  # two would count apart
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        "redis-service.yaml": {
            **{"apiVersion": "v1", "kind": "Service"},
            "metadata": metadata,
            "spec": {
                "selector": labels,
                "ports": [{"name": "redis", "port": REDIS_PORT, "targetPort": "redis"}],
            },
        },
        "redis-networkpolicy.yaml": {
            **{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"},
            "metadata": metadata,
            "spec": {
                "podSelector": {"matchLabels": labels},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [
                    {
                        "from": [{"podSelector": {"matchLabels": labels_of(served)}}],
                        "ports": [tcp(REDIS_PORT)],
                    }
                ],
                "egress": [],
            },
        },
    }


def redis_name(served: Served) -> str:
    """What it is called in a cluster."""
    return f"{served.name}-redis"
