"""podman with runc, in a folder of its own, and the pods that it makes of Kubernetes' manifests.

Knows: how podman 4.3 of Debian 12 is told where everything is, and what it reads differently from a
cluster. Independent of: what runs in a pod. It leaves the machine's own containers alone.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

RUN_TIMEOUT_S = 120.0


class Engine:
    """podman, with images, containers and networks in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = ""  # its name, once it is loaded
        files, processes = (
            min(resource.getrlimit(limit)[1], most)
            for limit, most in ((resource.RLIMIT_NOFILE, 20_000), (resource.RLIMIT_NPROC, 30_000))
        )
        (folder / "containers.conf").write_text(
            # without limits of its own podman asks for more than a machine may give
            f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", '
            f'"nproc={processes}:{processes}"]\nlog_driver = "k8s-file"\n'
            f'[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\n'
            f'tmp_dir = "{folder}/engine"\n[network]\nnetwork_backend = "netavark"\n'
        )
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\n'
            f'graphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'
        )

    def podman(self, *arguments: str | Path, code: int = 0) -> str:
        """Run one command of podman's to its end; return what it printed on both outputs."""
        ran = subprocess.run(
            ("podman", *map(str, arguments)),
            env={
                **{"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": str(self.folder)},
                "CONTAINERS_CONF": str(self.folder / "containers.conf"),
                "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_TIMEOUT_S,
        )
        assert ran.returncode == code, ran.stdout
        return ran.stdout

    def load(self, archive: Path) -> None:
        """Take an image out of its archive."""
        self.image = self.podman("load", "--input", archive).split("Loaded image: ")[1].strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """What podman knows of a container."""
        (found,) = json.loads(self.podman("inspect", name).partition("\n]")[0] + "\n]")
        return dict(found)

    def make_secret(self, name: str, contents: Mapping[str, str]) -> None:
        """Make a Secret that a pod mounts: podman 4.3 reads it as an object with plain data."""
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
        self._keep(name, {**secret, "data": dict(contents)})

    def make_variables(self, name: str, contents: Mapping[str, str]) -> None:
        """Make a Secret for variables, which podman 4.3 reads as nothing but its data."""
        encoded = {key: base64.b64encode(one.encode()).decode() for key, one in contents.items()}
        self._keep(name, encoded)

    def _keep(self, name: str, document: object) -> None:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(document))
        self.podman("secret", "create", name, path)
        path.unlink()

    def play(self, manifests: Path, name: str, port: int) -> str:
        """Run the Deployment of a folder as a pod with that name; return its container's name.

        `port`: of this network, for the container's only one.
        """
        deployment = yaml.safe_load((manifests / "deployment.yaml").read_text())
        deployment["metadata"]["name"] = name
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        (door,) = container["ports"]
        door["hostPort"] = port
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(deployment))
        self.podman("kube", "play", "--configmap", manifests / "configmap.yaml", path)
        return f"{name}-pod-0-{container['name']}"

    def end(self) -> None:
        """Remove every pod, so that no process is left."""
        self.podman("pod", "rm", "--force", "--all")


@contextmanager
def reachable_at(address: str, port: int) -> Iterator[int]:
    """Give a server of this machine's loopback an address that containers reach; yield its port."""
    with socket.create_server((address, 0)) as listener:
        threading.Thread(target=pass_on, args=(listener, port), daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def pass_on(listener: socket.socket, port: int) -> None:
    """Connect whoever comes with that port, until the listener is shut down."""
    with contextlib.suppress(OSError):
        while True:
            outer, _ = listener.accept()
            threading.Thread(target=join, args=(outer, port), daemon=True).start()


def join(outer: socket.socket, port: int) -> None:
    """Pass bytes on in both directions until both have ended."""
    with outer, socket.create_connection(("127.0.0.1", port)) as inner:
        back = threading.Thread(target=pump, args=(inner, outer), daemon=True)
        back.start()
        pump(outer, inner)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side has ended."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
