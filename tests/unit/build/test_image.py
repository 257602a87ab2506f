"""The OCI image that build/image writes: the same bytes from the same content."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "build/image.d"))
from layout import Entry, make_layer, sha256, write_image
from runtime import place_of

CONFIG = {"User": "65532:65532"}


def write(folder: Path, *, mode: int = 0o600, when: float = 1.0, is_reversed: bool = False) -> str:
    """Write an image of two files; return its digest."""
    folder.mkdir()
    entries = [Entry("etc/passwd", text="root\n")]
    for name in ("b.py", "a.py"):
        path = folder / name
        path.write_text(name)
        path.chmod(mode)
        os.utime(path, (when, when))
        entries.append(Entry(f"usr/lib/{name}", path))
    layers = [make_layer(reversed(entries) if is_reversed else entries)]
    return write_image(folder / "image.tar", layers, config=CONFIG, machine="amd64", name="x:1")


def read(folder: Path) -> dict[str, bytes]:
    """The files of an image's archive."""
    with tarfile.open(folder / "image.tar") as tar:
        return {one.name: file.read() for one in tar if (file := tar.extractfile(one))}


def test_whose_files_they_were_when_and_in_which_order_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path / "one")
    second = write(tmp_path / "two", mode=0o755, when=2e9, is_reversed=True)

    assert first == second
    assert read(tmp_path / "one") == read(tmp_path / "two")
    archives = [(tmp_path / name / "image.tar").read_bytes() for name in ("one", "two")]
    assert archives[0] == archives[1]


def test_other_content_is_another_image(tmp_path: Path) -> None:
    layers = [make_layer([Entry("etc/passwd", text=text)]) for text in ("a", "b")]

    assert layers[0].digest != layers[1].digest


def document(files: dict[str, bytes], digest: str) -> Any:
    return json.loads(files[f"blobs/sha256/{digest.removeprefix('sha256:')}"])


def test_every_digest_is_that_of_the_content(tmp_path: Path) -> None:
    digest = write(tmp_path / "one")
    files = read(tmp_path / "one")

    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    manifest = document(files, digest)
    config = document(files, manifest["config"]["digest"])
    (layer,) = manifest["layers"]
    packed = files[f"blobs/sha256/{layer['digest'][7:]}"]
    assert layer["size"] == len(packed)
    assert config["rootfs"]["diff_ids"] == [sha256(gzip.decompress(packed))]
    assert config["config"] == CONFIG
    (named,) = json.loads(files["index.json"])["manifests"]
    assert (named["digest"], named["size"]) == (digest, len(encoded_of(files, digest)))
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def encoded_of(files: dict[str, bytes], digest: str) -> bytes:
    return files[f"blobs/sha256/{digest.removeprefix('sha256:')}"]


def test_everything_is_roots_nobody_else_may_write_and_folders_are_there(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("b.py")
    layer = make_layer(
        [
            Entry("usr/bin/python", text="", mode=0o755),
            Entry("usr/lib/link", link),
            Entry("tmp", mode=0o1777),
        ]
    )

    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer.blob))) as tar:
        members = tar.getmembers()
    assert [one.name for one in members] == [
        *("tmp", "usr", "usr/bin", "usr/bin/python", "usr/lib", "usr/lib/link")
    ]
    assert {(one.uid, one.gid, one.mtime) for one in members} == {(0, 0, 315532800)}
    modes = {one.name: one.mode for one in members if not one.issym()}
    assert [name for name, mode in modes.items() if mode & stat.S_IWOTH] == ["tmp"]
    assert not [name for name, mode in modes.items() if mode & (stat.S_ISUID | stat.S_ISGID)]
    assert members[-1].linkname == "b.py"


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("/lib/x86_64-linux-gnu/libc.so.6", "lib/x86_64-linux-gnu/libc.so.6"),
        ("/lib64/ld-linux-x86-64.so.2", "lib64/ld-linux-x86-64.so.2"),
        ("/home/ann/.pyenv/lib/libpython3.11.so.1.0", "usr/lib/libpython3.11.so.1.0"),
    ],
)
def test_a_library_is_where_the_loader_looks_by_itself(here: str, there: str) -> None:
    assert place_of(here) == there
