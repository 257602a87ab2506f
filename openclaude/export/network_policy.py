"""Who may connect to the pods of a server, and where they may connect to.

Knows: what a NetworkPolicy can say. Independent of: plans. Pure. It knows addresses and ports, not
names of hosts: a cloud's endpoints have no fixed addresses, so to them every public address is open
on their ports, and no private one, nor the one where clouds give out a node's credentials.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from openclaude.export.served import PORT, ModelAddress, Served, labels_of

PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
PRIVATE_6 = ["fc00::/7", "fe80::/10"]
HTTPS = 443
REDIS_PORT = 6379
NODE_DNS = "169.254.20.10"  # where a node answers for DNS itself, if it does


def network_policy(served: Served) -> dict[str, Any]:
    """The policy."""
    labels = labels_of(served)
    numbers = [target for target in served.targets if address_of(target)]
    named = {target.port for target in served.targets if not address_of(target)}
    return {
        **{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"},
        "metadata": {"name": served.name, "labels": labels},
        "spec": {
            "podSelector": {"matchLabels": labels},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [tcp(PORT)]}],
            "egress": [
                {
                    "to": [
                        {"namespaceSelector": {}, "podSelector": {}},
                        {"ipBlock": {"cidr": f"{NODE_DNS}/32"}},
                    ],
                    "ports": [{"protocol": "UDP", "port": 53}, tcp(53)],
                },
                {
                    "to": [
                        {"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE.copy()}},
                        {"ipBlock": {"cidr": "::/0", "except": PRIVATE_6.copy()}},
                    ],
                    "ports": [tcp(port) for port in sorted({HTTPS, *named})],
                },
                *(
                    {
                        "to": [{"ipBlock": {"cidr": address_of(target)}}],
                        "ports": [tcp(target.port)],
                    }
                    for target in numbers
                ),
                *(
                    {
                        "to": [{"podSelector": {"matchLabels": redis_labels(served)}}],
                        "ports": [tcp(REDIS_PORT)],
                    }
                    for _ in range(served.has_redis)
                ),
            ],
        },
    }


def redis_labels(served: Served) -> dict[str, str]:
    """By which the Redis of a server is found."""
    return {**labels_of(served), "app.kubernetes.io/name": "openclaude-redis"}


def tcp(port: int) -> dict[str, Any]:
    """One port of TCP."""
    return {"protocol": "TCP", "port": port}


def address_of(target: ModelAddress) -> str:
    """The block of a host that is named by its address; "" for one with a name."""
    try:
        return str(ipaddress.ip_network(target.host))
    except ValueError:
        return ""
