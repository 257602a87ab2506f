"""Writes an OCI image: layers as tar files, their config, their manifest, in one archive.

Knows: the OCI image format (image-spec 1.1). Independent of: what is in the layers. The same input
gives the same bytes: names are sorted, nobody owns a file but root, every date is the same.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

DATE_S = 315532800  # 1980, as in the zipapp
CREATED = "1980-01-01T00:00:00Z"
OCI = "application/vnd.oci.image"


class Layer(NamedTuple):
    """One layer, as it is stored."""

    blob: bytes  # compressed
    digest: str  # of the tar file in it


class Entry(NamedTuple):
    """A file, a directory or a link of a layer."""

    name: str  # in the image, without the first slash
    source: Path | None = None  # None for a directory
    text: str | None = None  # the content of a file that has no source
    mode: int = 0o644


def make_layer(entries: Iterable[Entry]) -> Layer:
    """Pack entries; the directories above them are added."""
    by_name = {one.name: one for one in entries}
    for name in list(by_name):
        for above in Path(name).parents:
            if str(above) != ".":
                by_name.setdefault(str(above), Entry(str(above), mode=0o755))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(by_name):
            add(tar, by_name[name])
    content = packed.getvalue()
    return Layer(gzip.compress(content, compresslevel=6, mtime=0), sha256(content))


def add(tar: tarfile.TarFile, entry: Entry) -> None:
    """Add one entry, owned by root."""
    info = tarfile.TarInfo(entry.name)
    info.mtime, info.mode = DATE_S, entry.mode
    if entry.source is not None and entry.source.is_symlink():
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(entry.source.readlink()), 0o777
        tar.addfile(info)
        return
    if entry.source is None and entry.text is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
        return
    content = entry.source.read_bytes() if entry.source else (entry.text or "").encode()
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def sha256(content: bytes) -> str:
    """A digest as OCI writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def write_image(
    path: Path, layers: list[Layer], *, config: Mapping[str, Any], machine: str, name: str
) -> str:
    """Write an archive that podman, buildah and skopeo read; return the manifest's digest."""
    document = {
        **{"created": CREATED, "architecture": machine, "os": "linux", "config": config},
        "rootfs": {"type": "layers", "diff_ids": [one.digest for one in layers]},
        "history": [{"created": CREATED, "created_by": "build/image"} for _ in layers],
    }
    blobs: dict[str, bytes] = {}

    def keep(kind: str, content: bytes) -> dict[str, Any]:
        digest = sha256(content)
        blobs[digest] = content
        return {"mediaType": f"{OCI}.{kind}", "digest": digest, "size": len(content)}

    manifest = {
        **{"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json"},
        "config": keep("config.v1+json", encoded(document)),
        "layers": [keep("layer.v1.tar+gzip", one.blob) for one in layers],
    }
    described = keep("manifest.v1+json", encoded(manifest))
    named = {**described, "annotations": {"org.opencontainers.image.ref.name": name}}
    index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [named]}
    files = {
        **{f"blobs/sha256/{digest[7:]}": content for digest, content in blobs.items()},
        "index.json": encoded(index),
        "oci-layout": encoded({"imageLayoutVersion": "1.0.0"}),
    }
    with tarfile.open(path, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in sorted(files):
            info = tarfile.TarInfo(member)
            info.mtime, info.mode, info.size = DATE_S, 0o644, len(files[member])
            tar.addfile(info, io.BytesIO(files[member]))
    return str(described["digest"])


def encoded(document: Mapping[str, Any]) -> bytes:
    """JSON, always the same for the same document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
