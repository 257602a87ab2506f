"""Make the image: the packages of the zipapp on a Python, in three layers.

Knows: the steps, the image's config. Independent of: the format (layout.py), what Python needs
(runtime.py), what is left out of the packages (build/zipapp.d/removals.toml).
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.with_name("zipapp.d")), str(HERE.with_name("setup.d"))]
import locked  # noqa: E402
import make  # noqa: E402
import pip_runs  # noqa: E402
from layout import Entry, make_layer, write_image  # noqa: E402
from runtime import (  # noqa: E402
    LIBRARY,
    NAME,
    PREFIX,
    USER,
    copy_library,
    entries,
    site_folder,
    tree,
)

PORT = 8443
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
# the only place that can be written in a container with a read-only root; it is in memory
WRITABLE = "/dev/shm"  # noqa: S108 - a container has one user
ENVIRONMENT = {
    "PATH": f"/{PREFIX}/bin",
    "HOME": "/home/openclaude",
    "LANG": "C.UTF-8",
    "TMPDIR": WRITABLE,
    "XDG_CONFIG_HOME": "/etc",  # profiles in /etc/openclaude/profiles
    "XDG_STATE_HOME": f"{WRITABLE}/state",
    "XDG_CACHE_HOME": f"{WRITABLE}/cache",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def main() -> int:
    """Make it; print its path and digest."""
    parser = argparse.ArgumentParser(prog="build/image", allow_abbrev=False)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="(default: dist)")
    out: Path = parser.parse_args().out.absolute()
    if platform.system() != "Linux":
        sys.exit("image: it is made of this machine's Python, which must be one for Linux")
    out.mkdir(parents=True, exist_ok=True)
    (ROOT / ".work").mkdir(exist_ok=True)
    version = version_of()
    path = out / f"openclaude-providers-{version}-linux_{platform.machine()}.oci.tar"
    with TemporaryDirectory(dir=ROOT / ".work", prefix="image-") as work:
        try:
            digest = build(Path(work), path, version)
        except (locked.NotAsLocked, pip_runs.PipFailed) as error:
            sys.exit(f"image: {error}")
    sys.stdout.write(f"image: {path}: {path.stat().st_size / 1e6:.1f} MB\n{digest}\n")
    return 0


def version_of() -> str:
    """The version of openclaude."""
    text = (ROOT / "openclaude/__init__.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'__version__ = "(.+)"', text)
    return str(version)


def build(work: Path, path: Path, version: str) -> str:
    """Write the image; return its digest."""
    packages, library = work / "packages", work / "library"
    make.stage(packages)
    copy_library(library)
    compileall = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    make.run(sys.executable, *compileall, "-s", library, "-p", f"/{LIBRARY}", library)
    place = site_folder()
    site = list(tree(packages, place))
    own = [one for one in site if is_own(one, place)]
    compiled = sorted(packages.rglob("*.so"))
    layers = [
        make_layer(entries(library, compiled)),
        make_layer(one for one in site if not is_own(one, place)),
        make_layer(own),
    ]
    config = {
        "User": f"{USER}:{USER}",
        "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
        # -P: nothing is imported from the working directory
        "Entrypoint": [f"/{PREFIX}/bin/{NAME}", "-P", "-m", "openclaude"],
        "WorkingDir": "/",
        "ExposedPorts": {f"{PORT}/tcp": {}},
        "StopSignal": "SIGTERM",
        "Labels": {
            "org.opencontainers.image.title": "openclaude-providers",
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": "MIT",
        },
    }
    name = f"localhost/openclaude-providers:{version}"
    machine = MACHINES.get(platform.machine(), platform.machine())
    return write_image(path, layers, config=config, machine=machine, name=name)


def is_own(entry: Entry, place: str) -> bool:
    """Whether an entry is of openclaude itself, which changes with every commit."""
    return bool(re.match(rf"{re.escape(place)}/openclaude(-|/)", entry.name))


if __name__ == "__main__":
    sys.exit(main())
