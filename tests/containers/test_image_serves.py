"""The image of `openclaude serve` in pods, made by podman of what `export kubernetes` writes.

Nothing here balances, scales or renews, as a cluster would. What is shown is that the manifests
run as they are written, what a pod may do, and how it ends.
"""

from __future__ import annotations

import json
import threading
import time

import pytest

from openclaude.standins.base.script import slow
from tests.containers.conftest import PORTS, UPSTREAM_KEY, Cluster

READY_TIMEOUT_S = 120.0
ANSWER = "openai stand-in: small"
WORDS = 40
FIRST, SECOND = PORTS


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> tuple[str, str]:
    """Two pods of the same manifests, each ready."""
    names = (cluster.play("first", FIRST), cluster.play("second", SECOND))
    for port in PORTS:
        wait_until_ready(cluster, port)
    return names


def wait_until_ready(cluster: Cluster, port: int) -> None:
    """Wait as the kubelet's probes do."""
    until = time.monotonic() + READY_TIMEOUT_S
    while cluster.get(port, "/health/readiness") != 200:
        assert time.monotonic() < until, "it does not become ready"
        time.sleep(0.5)


def test_each_pod_answers_a_person_and_refuses_a_stranger(
    cluster: Cluster, pods: tuple[str, str]
) -> None:
    assert len(pods) == 2
    for port in PORTS:
        status, reply = cluster.ask(port, "hi")
        assert status == 200, reply
        assert json.loads(reply)["content"][0]["text"] == ANSWER
        status, reply = cluster.ask(port, "hi", key="sk-openclaude-" + "0" * 64)
        assert status == 401, reply
        assert cluster.get(port, "/health/liveness") == 200


def test_a_pod_has_no_shell_no_capability_and_nothing_that_it_can_write(
    cluster: Cluster, pods: tuple[str, str]
) -> None:
    known = cluster.engine.inspect(pods[0])
    assert known["Config"]["User"] == "65532:65532"
    assert not known["EffectiveCaps"]
    assert not known["BoundingCaps"]
    assert known["HostConfig"]["ReadonlyRootfs"] is True
    for shell in ("sh", "/bin/sh", "/bin/bash", "/bin/busybox"):
        cluster.engine.podman("exec", pods[0], shell, "-c", "id", code=127)  # not found
    trial = "open('/usr/written', 'w')"
    python = known["Config"]["Entrypoint"].split()[0]
    said = cluster.engine.podman("exec", pods[0], python, "-c", trial, code=1)
    assert "Read-only file system" in said or "Permission denied" in said


def test_no_log_and_no_image_has_a_key_or_a_text(cluster: Cluster, pods: tuple[str, str]) -> None:
    assert cluster.ask(FIRST, "a canary of the prompt")[0] == 200
    said = cluster.engine.podman("logs", pods[0])
    assert '"person": "ann"' in said
    assert '"route": "POST /v1/messages"' in said
    for secret in (cluster.key, UPSTREAM_KEY, "a canary of the prompt"):
        assert secret not in said
    assert "ERROR" not in said  # whoever watches logs is woken by that word
    assert UPSTREAM_KEY not in cluster.engine.podman("image", "inspect", cluster.engine.image)


def test_a_pod_that_is_ended_lets_its_stream_end_and_leaves_the_rest_to_the_other(
    cluster: Cluster, pods: tuple[str, str]
) -> None:
    with cluster.asking(FIRST, slow(WORDS, 0.2), stream=True) as reply:
        assert reply.status == 200
        begun = reply.read1()
        ending = threading.Thread(
            target=cluster.engine.podman, args=("stop", "--time", "60", pods[0])
        )
        ending.start()
        rest = reply.read()  # while it ends
    ending.join()
    assert b"message_start" in begun + rest
    assert (begun + rest).count(b"content_block_delta") >= 1
    assert (begun + rest).rstrip().endswith(b'data: {"type": "message_stop"}')
    assert cluster.engine.inspect(pods[0])["State"]["ExitCode"] == 0
    assert cluster.get(FIRST, "/health/readiness") == 0
    assert cluster.ask(SECOND, "hi")[0] == 200
    cluster.engine.podman("start", pods[0])
    wait_until_ready(cluster, FIRST)
    assert cluster.ask(FIRST, "hi")[0] == 200
