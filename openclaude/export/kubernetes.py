"""Manifests for Kubernetes: the providers of a profile as a Deployment, for other machines.

Knows: the objects, as the API's schemas have them. Independent of: plans, who may connect where
(`network_policy`). Pure. Secrets are named, and made by whoever applies this; none is in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from openclaude.export.network_policy import network_policy
from openclaude.export.redis import redis_address, redis_name, redis_objects
from openclaude.export.served import (
    AWS_PROFILE,
    FOLDER,
    KEYS_FOLDER,
    PLAN_FILE,
    PORT,
    STOP_S,
    USER,
    Served,
    labels_of,
)
from openclaude.export.yaml_text import yaml_text

TOKEN_FOLDER = "/var/run/secrets/openclaude/aws"  # noqa: S105 - where it is, not what
TOKEN_S = 3600
AWS_FILE = "aws-config"
READABLE = 0o440
LEAST_PODS, MOST_PODS = 2, 10
MANDATORY = {"optional": False}  # said though it is the default: podman 4.3 crashes without it


ALONE = f"""\
# Each of {LEAST_PODS} to {MOST_PODS} pods counts alone what people use: together they allow as many
# times a limit. `--redis` of the command writes a Redis with which they count together.
"""
ANOTHER_REDIS = """\
# For a Redis that you have already, replace the address after `--redis` in deployment.yaml, and add
# its address and port to `egress` in networkpolicy.yaml, which opens no other private one.
"""


class Cluster(NamedTuple):
    """What a plan does not say."""

    host: str  # by which laptops know it
    role_arn: str  # the IAM role of its pods; of use with Bedrock only


def kubernetes(served: Served, cluster: Cluster) -> dict[str, str]:
    """A file for each object, and a kustomization of them."""
    config = config_map(served, cluster)
    objects = {
        "serviceaccount.yaml": service_account(served),
        "configmap.yaml": config,
        "deployment.yaml": deployment(served, config),
        "service.yaml": service(served),
        "ingress.yaml": ingress(served, cluster),
        "poddisruptionbudget.yaml": disruption_budget(served),
        "horizontalpodautoscaler.yaml": autoscaler(served),
        "networkpolicy.yaml": network_policy(served),
        **(redis_objects(served) if served.has_redis else {}),
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(objects),
    }
    made = f"# Made by `openclaude export kubernetes {served.profile}`.\n"
    files = {name: made + yaml_text(one) for name, one in objects.items()}
    return {"kustomization.yaml": header(served) + yaml_text(kustomization), **files}


def header(served: Served) -> str:
    """What whoever applies it has to make first."""
    made = [
        f"kubectl create secret tls {served.name}-tls --cert=tls.crt --key=tls.key",
        f"kubectl create secret generic {served.name}-people --from-file=people.keys",
    ]
    if served.variables or served.files:
        from shlex import quote

        # from files, because whoever lists processes reads an argument
        keys = [f"--from-file={quote(name)}" for name in (*served.variables, *served.files)]
        made.append(f"kubectl create secret generic {served.name}-keys {' '.join(keys)}")
    made += [f"  {name}: a file with that key" for name in served.variables]
    made += [f"  {name}: a file with the key of {whose}" for name, whose in served.files.items()]
    lines = "".join(f"#   {one}\n" for one in made)
    return (
        f"# Made by `openclaude export kubernetes {served.profile}`. First, in its namespace:\n"
        f"{lines}# then: kubectl apply -k .\n"
        f"{ANOTHER_REDIS if served.has_redis else ALONE}"
    )


def metadata(served: Served) -> dict[str, Any]:
    """Of every object; the namespace is that of whoever applies it."""
    return {"name": served.name, "labels": labels_of(served)}


def service_account(served: Served) -> dict[str, Any]:
    """Whom AWS trusts, by a token of its own: IAM roles for service accounts."""
    return {
        **{"apiVersion": "v1", "kind": "ServiceAccount"},
        "metadata": metadata(served),
        "automountServiceAccountToken": False,  # nothing here asks Kubernetes
    }


def config_map(served: Served, cluster: Cluster) -> dict[str, Any]:
    """The plan, and how AWS is asked for credentials."""
    data = {PLAN_FILE: served.plan}
    if served.needs_aws:
        data[AWS_FILE] = (
            f"[profile {AWS_PROFILE}]\n"
            f"role_arn = {cluster.role_arn}\n"
            f"web_identity_token_file = {TOKEN_FOLDER}/token\n"
            f"role_session_name = {served.name}\n"
        )
    return {
        **{"apiVersion": "v1", "kind": "ConfigMap"},
        "metadata": metadata(served),
        "data": data,
    }


def digest_of(config: Mapping[str, Any]) -> str:
    """A name for what a ConfigMap has."""
    return hashlib.sha256(json.dumps(config["data"], sort_keys=True).encode()).hexdigest()[:16]


def deployment(served: Served, config: Mapping[str, Any]) -> dict[str, Any]:
    """The pods, with a ConfigMap. No `replicas`: the autoscaler says how many."""
    matching = {"matchLabels": labels_of(served)}
    pod = {
        "serviceAccountName": served.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": STOP_S,
        "securityContext": {
            "runAsNonRoot": True,
            **{"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": matching,
            }
        ],
        "containers": [container(served)],
        "volumes": volumes(served),
    }
    return {
        **{"apiVersion": "apps/v1", "kind": "Deployment"},
        "metadata": metadata(served),
        "spec": {
            "selector": matching,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {
                # another plan or role makes other pods
                "metadata": {
                    "labels": labels_of(served),
                    "annotations": {"openclaude/config": digest_of(config)},
                },
                "spec": pod,
            },
        },
    }


def container(served: Served) -> dict[str, Any]:
    """The one process of a pod."""
    secret = f"{served.name}-keys"
    environment: list[dict[str, Any]] = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}}
        for name in served.variables
    ]
    if served.needs_aws:
        environment.append({"name": "AWS_CONFIG_FILE", "value": f"{FOLDER}/config/{AWS_FILE}"})
    mounts = {"config": f"{FOLDER}/config", "tls": f"{FOLDER}/tls", "people": f"{FOLDER}/people"}
    if served.files:
        mounts["keys"] = KEYS_FOLDER
    if served.needs_aws:
        mounts["aws-token"] = TOKEN_FOLDER
    plan = f"{FOLDER}/{PLAN_FILE}"
    return {
        "name": "providers",
        "image": served.image,
        # in a folder of its own: a file that is mounted alone is never renewed
        "args": [
            f"{FOLDER}/config/{PLAN_FILE}" if one == plan else one
            for one in served.arguments(redis_address(redis_name(served)))
        ],
        "ports": [{"name": "https", "containerPort": PORT}],
        **({"env": environment} if environment else {}),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "500m", "memory": "512Mi"},
            "limits": {"memory": "1Gi"},
        },
        # a connection waits until LiteLLM has read its config
        "startupProbe": probe("liveness", period_s=2, failures=90),
        "readinessProbe": probe("readiness", period_s=2, failures=1),
        "livenessProbe": probe("liveness", period_s=10, failures=6),
        "volumeMounts": [
            {"name": name, "mountPath": path, "readOnly": True} for name, path in mounts.items()
        ],
    }


def probe(name: str, *, period_s: int, failures: int) -> dict[str, Any]:
    """A question of the kubelet, which does not look at whose certificate it is."""
    return {
        "httpGet": {"path": f"/health/{name}", "port": "https", "scheme": "HTTPS"},
        **{"timeoutSeconds": 2, "periodSeconds": period_s, "failureThreshold": failures},
    }


def volumes(served: Served) -> list[dict[str, Any]]:
    """Everything that is mounted; nothing of it can be written."""
    named = {"tls": f"{served.name}-tls", "people": f"{served.name}-people"}
    if served.files:
        named["keys"] = f"{served.name}-keys"
    found: list[dict[str, Any]] = [{"name": "config", "configMap": {"name": served.name}}]
    found += [
        {"name": name, "secret": {**MANDATORY, "secretName": secret, "defaultMode": READABLE}}
        for name, secret in named.items()
    ]
    if served.needs_aws:
        token = {"audience": "sts.amazonaws.com", "expirationSeconds": TOKEN_S, "path": "token"}
        sources = [{"serviceAccountToken": token}]
        found.append(
            {"name": "aws-token", "projected": {"sources": sources, "defaultMode": READABLE}}
        )
    return found


def service(served: Served) -> dict[str, Any]:
    """One address for all pods."""
    return {
        **{"apiVersion": "v1", "kind": "Service"},
        "metadata": metadata(served),
        "spec": {
            "selector": labels_of(served),
            "ports": [{"name": "https", "port": 443, "targetPort": "https"}],
        },
    }


def ingress(served: Served, cluster: Cluster) -> dict[str, Any]:
    """The way in, by TLS to it and by TLS from it.

    The annotations are those of ingress-nginx: answers take minutes, and are not collected first.
    """
    nginx = "nginx.ingress.kubernetes.io"
    backend = {"service": {"name": served.name, "port": {"name": "https"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        **{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"},
        "metadata": {
            **metadata(served),
            "annotations": {
                f"{nginx}/backend-protocol": "HTTPS",
                f"{nginx}/proxy-body-size": "64m",
                f"{nginx}/proxy-buffering": "off",
                f"{nginx}/proxy-request-buffering": "off",
                f"{nginx}/proxy-read-timeout": "900",
                f"{nginx}/proxy-send-timeout": "900",
            },
        },
        "spec": {
            "tls": [{"hosts": [cluster.host], "secretName": f"{served.name}-tls"}],
            "rules": [{"host": cluster.host, "http": {"paths": [path]}}],
        },
    }


def disruption_budget(served: Served) -> dict[str, Any]:
    """No more than one pod at a time is ended for a node's sake."""
    return {
        **{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"},
        "metadata": metadata(served),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels_of(served)}},
    }


def autoscaler(served: Served) -> dict[str, Any]:
    """How many pods: by their CPU, as the cluster's metrics-server says it."""
    target = {"type": "Utilization", "averageUtilization": 70}
    return {
        **{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"},
        "metadata": metadata(served),
        "spec": {
            "scaleTargetRef": {
                **{"apiVersion": "apps/v1", "kind": "Deployment"},
                "name": served.name,
            },
            **{"minReplicas": LEAST_PODS, "maxReplicas": MOST_PODS},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            # streams of a pod that is ended get their grace, but need not be disturbed for a lull
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
        },
    }
