"""compose and Kubernetes: what is written; no secret and nothing of this machine is in it."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml

from openclaude.export.compose import compose
from openclaude.export.kubernetes import Cluster, kubernetes
from openclaude.export.served import STOP_S
from tests.conftest import REPOSITORY
from tests.unit.export.made import BEDROCK, OTHERS, made

CLUSTER = Cluster("models.example.internal", "arn:aws:iam::111122223333:role/openclaude")
PROFILES = {"bedrock": BEDROCK, "others": OTHERS}
SCHEMAS = REPOSITORY / "tests/data/kubernetes-1.37.json.xz"
WORKLOADS = {"Deployment", "Service", "Ingress", "PodDisruptionBudget"}
WORKLOADS |= {"HorizontalPodAutoscaler", "NetworkPolicy", "ServiceAccount", "ConfigMap"}


def files_of(target: str, text: str, *, has_redis: bool = False) -> dict[str, str]:
    served = made(text, has_redis=has_redis)
    return kubernetes(served, CLUSTER) if target == "kubernetes" else compose(served)


@pytest.mark.parametrize("target", ["compose", "kubernetes"])
@pytest.mark.parametrize("profile", PROFILES)
def test_the_files_are_those_that_were_read(
    target: str, profile: str, golden: Callable[[str, str], None]
) -> None:
    for name, text in files_of(target, PROFILES[profile]).items():
        golden(f"{target}.{profile}.{name}", text)


@cache
def schemas() -> dict[str, Any]:
    """The API's schemas of what is written here, by kind; tests/kubernetes_schemas.py made them."""
    found: dict[str, Any] = json.loads(lzma.decompress(SCHEMAS.read_bytes()))
    return found


def check(document: dict[str, Any]) -> None:
    """Raise ValidationError if the API would not take it."""
    key = f"{document['apiVersion']} {document['kind']}"
    known = schemas()
    schema = {"$ref": known["kinds"][key], "$defs": known["$defs"]}
    jsonschema.Draft202012Validator(schema).validate(document)


def objects(text: str) -> dict[str, dict[str, Any]]:
    """The objects, by kind."""
    files = files_of("kubernetes", text)
    found = [yaml.safe_load(one) for name, one in files.items() if name != "kustomization.yaml"]
    return {one["kind"]: one for one in found}


@pytest.mark.parametrize("profile", PROFILES)
def test_each_object_is_as_the_schemas_of_the_api_have_it(profile: str) -> None:
    found = objects(PROFILES[profile])

    assert set(found) == WORKLOADS
    for document in found.values():
        check(document)


@pytest.mark.parametrize("where", ["spec", "template", "container"])
def test_the_schemas_notice_a_key_that_is_none(where: str) -> None:
    document = objects(BEDROCK)["Deployment"]
    spec = document["spec"]
    pod = spec["template"]["spec"]
    places = {"spec": spec, "template": pod, "container": pod["containers"][0]}
    places[where]["imagined"] = True

    with pytest.raises(jsonschema.ValidationError, match="imagined"):
        check(document)


def test_the_kustomization_names_every_other_file() -> None:
    files = files_of("kubernetes", OTHERS)

    assert yaml.safe_load(files.pop("kustomization.yaml"))["resources"] == list(files)


def test_every_selector_finds_the_pods_and_every_reference_is_to_something_named() -> None:
    found = objects(OTHERS)
    pod = found["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"]

    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "openclaude-team"
    assert pod["spec"]["serviceAccountName"] == found["ServiceAccount"]["metadata"]["name"]
    (container,) = pod["spec"]["containers"]
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["spec"]["volumes"]}


def test_a_pod_can_write_nothing_and_gets_no_right_and_no_token_of_kubernetes() -> None:
    spec = objects(BEDROCK)["Deployment"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]

    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all(one["readOnly"] for one in container["volumeMounts"])


def test_a_pod_has_the_time_that_its_streams_get() -> None:
    spec = objects(BEDROCK)["Deployment"]["spec"]["template"]["spec"]
    arguments = spec["containers"][0]["args"]

    given = {name: int(arguments[arguments.index(name) + 1]) for name in ("--drain", "--grace")}
    assert spec["terminationGracePeriodSeconds"] == STOP_S > sum(given.values())
    probe = spec["containers"][0]["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < given["--drain"]


def test_aws_is_asked_with_a_token_of_the_pod_and_no_key() -> None:
    found = objects(BEDROCK)
    config = found["ConfigMap"]["data"]["aws-config"]
    spec = found["Deployment"]["spec"]["template"]["spec"]

    assert CLUSTER.role_arn in config
    (token,) = [one["projected"] for one in spec["volumes"] if one["name"] == "aws-token"]
    assert token["sources"][0]["serviceAccountToken"]["audience"] == "sts.amazonaws.com"
    assert "aws_access_key_id" not in "".join(files_of("kubernetes", BEDROCK).values())


def test_a_model_at_an_address_is_allowed_and_other_private_addresses_are_not() -> None:
    egress = objects(OTHERS)["NetworkPolicy"]["spec"]["egress"]

    assert egress[-1] == {
        "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
        "ports": [{"protocol": "TCP", "port": 8000}],
    }
    public = egress[1]
    assert "169.254.0.0/16" in public["to"][0]["ipBlock"]["except"]
    assert [one["port"] for one in public["ports"]] == [443]


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_mounts_only_to_read_and_passes_variables_without_their_values(
    profile: str,
) -> None:
    (service,) = yaml.safe_load(files_of("compose", PROFILES[profile])["compose.yaml"])[
        "services"
    ].values()

    assert all(one.startswith("./") and one.endswith(":ro") for one in service["volumes"])
    given = [one for one in service.get("environment", ()) if "=" in one]
    assert all(one.startswith(("AWS_CONFIG_FILE=/", "AWS_SHARED_")) for one in given)
    assert service["read_only"] is True


def test_what_compose_would_replace_is_doubled() -> None:
    served = made(BEDROCK)._replace(image="r/$x:${y}")

    text = compose(served)["compose.yaml"]

    assert yaml.safe_load(text)["services"]["providers"]["image"] == "r/$$x:$${y}"


def test_a_plan_in_a_manifest_is_the_plan_to_the_letter_and_can_be_read_by_people() -> None:
    files = files_of("kubernetes", OTHERS)

    data = yaml.safe_load(files["configmap.yaml"])["data"]
    assert data["plan.json"] == made(OTHERS).plan
    assert "\n  plan.json: |\n" in files["configmap.yaml"]
    assert not [name for name, text in files.items() if "&id0" in text]


# A Redis beside it --------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["compose", "kubernetes"])
def test_a_redis_is_beside_the_server_where_it_is_wanted(
    target: str, golden: Callable[[str, str], None]
) -> None:
    plain = files_of(target, BEDROCK)
    for name, text in files_of(target, BEDROCK, has_redis=True).items():
        if plain.get(name) != text:
            golden(f"{target}.redis.{name}", text)


def test_only_the_server_reaches_redis_and_redis_reaches_nothing() -> None:
    files = files_of("kubernetes", BEDROCK, has_redis=True)
    found = {name: yaml.safe_load(text) for name, text in files.items()}
    kustomization = found.pop("kustomization.yaml")
    for document in found.values():
        check(document)
    pods = {
        name: found[name]["spec"]["template"]["metadata"]["labels"]
        for name in ("deployment.yaml", "redis-deployment.yaml")
    }
    policy = found["redis-networkpolicy.yaml"]["spec"]
    (container,) = found["deployment.yaml"]["spec"]["template"]["spec"]["containers"]
    address = container["args"][container["args"].index("--redis") + 1]

    assert kustomization["resources"] == list(found)
    assert pods["deployment.yaml"] != pods["redis-deployment.yaml"]
    assert policy["podSelector"]["matchLabels"] == pods["redis-deployment.yaml"]
    assert policy["ingress"][0]["from"] == [
        {"podSelector": {"matchLabels": pods["deployment.yaml"]}}
    ]
    assert policy["egress"] == []
    assert found["networkpolicy.yaml"]["spec"]["egress"][-1] == {
        "to": [{"podSelector": {"matchLabels": pods["redis-deployment.yaml"]}}],
        "ports": [{"protocol": "TCP", "port": 6379}],
    }
    assert address == f"redis://{found['redis-service.yaml']['metadata']['name']}:6379/0"


def test_in_compose_too_only_the_server_reaches_redis_and_redis_reaches_nothing() -> None:
    files = files_of("compose", BEDROCK, has_redis=True)
    document = yaml.safe_load(files["compose.yaml"])

    of_redis = document["services"]["redis"]["networks"]
    of_server = document["services"]["providers"]["networks"]
    assert [document["networks"][name]["internal"] for name in of_redis] == [True]
    assert {*of_server} - {*of_redis} == {"default"}  # the cloud, and laptops
    assert {*of_redis} < {*of_server}
    assert not document["networks"]["default"]
    assert "ports" not in document["services"]["redis"]


@pytest.mark.parametrize(
    ("has_redis", "said"),
    [(False, "Each of 2 to 10 pods counts alone"), (True, "For a Redis that you have already")],
)
def test_the_manifests_say_what_limits_need_in_a_cluster(has_redis: bool, said: str) -> None:
    files = files_of("kubernetes", BEDROCK, has_redis=has_redis)
    scaled = yaml.safe_load(files["horizontalpodautoscaler.yaml"])["spec"]

    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (2, 10)
    assert f"# {said}" in files["kustomization.yaml"]


def test_an_exported_plan_says_what_its_models_cost() -> None:
    plan = json.loads(made(BEDROCK).plan)

    prices = json.loads(plan["units"][0]["environment"]["OPENCLAUDE_PRICES"])

    assert prices["slots"] == {}
    assert prices["models"]["bedrock/qwen.qwen3-next-80b-a3b"]["input"] > 0
