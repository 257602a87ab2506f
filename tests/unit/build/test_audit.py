"""The locks compared with the known advisories, and how both are read."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.conftest import REPOSITORY

# build/ is not a package: it has no __init__.py
sys.path.insert(0, str(REPOSITORY / "build/audit.d"))
from advisories import Advisory, Span, read_snapshot
from audit import main
from osv import parse

SNAPSHOT = REPOSITORY / "build/audit.d/advisories.json"
LOCK = "litellm==7.8.14 \\\n    --hash=sha256:x\nstarlette==1.10.0 \\\n    --hash=sha256:x\n"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    return path


def snapshot(folder: Path, *rows: dict[str, Any]) -> Path:
    """A snapshot with these advisories."""
    path = folder / "advisories.json"
    table = {"taken": "2026-01-02", "source": "a test", "advisories": rows}
    path.write_text(json.dumps(table))
    return path


# What is known today ------------------------------------------------------------------------------


def test_no_advisory_of_the_snapshot_applies_to_a_locked_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main([])

    assert (status, capsys.readouterr().out.count("\n")) == (0, 1)


def test_the_snapshot_is_dated_and_names_what_we_would_never_install() -> None:
    known = read_snapshot(SNAPSHOT)

    assert date.fromisoformat(known.taken).year >= 2026
    assert known.source
    (malicious,) = (one for one in known.advisories if one.id == "MAL-2026-2144")
    assert malicious.is_about("1.82.7")
    assert malicious.is_about("1.82.8")
    assert not malicious.is_about("1.82.6")


# What applies -------------------------------------------------------------------------------------


def test_an_advisory_that_applies_fails_with_its_names_and_what_to_do(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (
        {
            "id": "GHSA-made-up",
            "aliases": ["CVE-2099-1"],
            "package": "litellm",
            "summary": "tells everyone",
            "spans": [{"since": "7.1", "before": "7.8.15"}],
        },
        {"id": "GHSA-of-another", "package": "flask", "spans": [{"since": "0"}]},
        {"id": "GHSA-mended", "package": "starlette", "spans": [{"since": "0", "before": "1.9"}]},
    )

    status = main(["--snapshot", str(snapshot(tmp_path, *rows)), str(lock)])

    assert status == 1
    assert capsys.readouterr().out.splitlines() == [
        "audit: litellm 7.8.14: GHSA-made-up CVE-2099-1: tells everyone (fixed in 7.8.15)",
        "audit: 1 of 3 advisories of 2026-01-02 (a test) apply to 2 locked versions",
        "audit: upgrade with `build/lock --upgrade-package NAME`, then run this again",
    ]


def test_one_that_does_not_apply_is_only_counted(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"id": "X", "package": "litellm", "spans": [{"since": "7.9"}], "versions": ["7.8.13"]}

    status = main(["--snapshot", str(snapshot(tmp_path, row)), str(lock)])

    assert status == 0
    assert capsys.readouterr().out == (
        "audit: none of 1 advisories of 2026-01-02 (a test) applies to 2 locked versions\n"
    )


@pytest.mark.parametrize(
    ("span", "version", "is_in"),
    [
        (Span(), "1", True),
        (Span(since="1.2"), "1.2", True),
        (Span(since="1.2"), "1.1.9", False),
        (Span(before="1.10"), "1.9", True),  # as versions, not as words
        (Span(before="1.10"), "1.10", False),
        (Span(before="1.10"), "1.10rc1", True),
        (Span(upto="1.10"), "1.10", True),
        (Span(upto="1.10"), "1.10.post1", False),
        (Span(since="2", before="3"), "2.5.dev1", True),
    ],
)
def test_versions_are_compared_as_pip_does(span: Span, version: str, is_in: bool) -> None:
    assert Advisory(id="X", package="x", spans=(span,)).is_about(version) is is_in


# The replies of the index -------------------------------------------------------------------------


def row(**more: Any) -> dict[str, Any]:
    """A row of OSV's."""
    package = {"name": "x", "ecosystem": "PyPI"}
    return {"id": "GHSA-1", "affected": [{"package": package, **more}]}


def ranges(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": list(events)}]}


@pytest.mark.parametrize(
    ("told", "spans", "versions"),
    [
        (ranges({"introduced": "0"}), (Span(),), ()),
        (
            ranges({"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "4"}),
            (Span(since="1", before="2"), Span(since="3", before="4")),
            (),
        ),
        (
            ranges({"introduced": "1"}, {"last_affected": "2"}),
            (Span(since="1", upto="2"),),
            (),
        ),
        ({**ranges({"introduced": "0"}), "versions": ["1", "2"]}, (Span(),), ()),
        ({**ranges({"introduced": "abc"}, kind="GIT"), "versions": ["2", "1"]}, (), ("1", "2")),
        ({"versions": ["1"], "package": {"name": "x", "ecosystem": "npm"}}, (), ()),
        ({"versions": ["1"], "package": {"name": "y", "ecosystem": "PyPI"}}, (), ()),
    ],
)
def test_what_the_index_says_is_read(
    told: dict[str, Any], spans: tuple[Span, ...], versions: tuple[str, ...]
) -> None:
    (found,) = parse(row(**told), "x")

    assert (found.spans, found.versions) == (spans, versions)


def test_what_was_withdrawn_is_none() -> None:
    assert list(parse({**row(**ranges({"introduced": "0"})), "withdrawn": "2026"}, "x")) == []


PAGES = {
    ("litellm", None): {
        "vulns": [
            {
                "id": "PYSEC-1",
                "aliases": ["CVE-1"],
                "summary": "é",
                "affected": [
                    {
                        "package": {"name": "litellm", "ecosystem": "PyPI"},
                        **ranges({"introduced": "0"}, {"fixed": "2"}),
                    }
                ],
            }
        ],
        "next_page_token": "more",
    },
    ("litellm", "more"): {"vulns": [{"id": "PYSEC-2", "withdrawn": "2026"}]},
    ("starlette", None): {},
}


class Index(BaseHTTPRequestHandler):
    """Answers as OSV does."""

    def do_POST(self) -> None:
        assert self.path == "/v1/query"
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert asked["package"]["ecosystem"] == "PyPI"
        self.answer(200, json.dumps(PAGES[asked["package"]["name"], asked.get("page_token")]))

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Refusing(Index):
    def do_POST(self) -> None:
        self.answer(503, "")


class Portal(Index):
    """A network that requires a login first."""

    def do_POST(self) -> None:
        self.answer(200, "<html>")


class Listing(Index):
    def do_POST(self) -> None:
        self.answer(200, "[]")


@contextmanager
def index(handler: type[Index]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.reaches_out
def test_the_snapshot_is_renewed_from_its_index(tmp_path: Path, lock: Path) -> None:
    path = snapshot(tmp_path, {"id": "OLD", "package": "litellm", "versions": ["7.8.14"]})

    with index(Index) as url:
        status = main(["--renew", "--index", url, "--snapshot", str(path), str(lock)])

    new = read_snapshot(path)
    assert status == 0
    assert (new.source, new.taken > "2026-01-02") == (url, True)
    assert new.advisories == (
        Advisory(
            id="PYSEC-1",
            package="litellm",
            aliases=("CVE-1",),
            summary="é",
            spans=(Span(since="0", before="2"),),
        ),
    )


@pytest.mark.reaches_out
@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (None, "Connection refused"),
        (Refusing, "it answers with status 503"),
        (Portal, "it answers something else than JSON"),
        (Listing, "it answers something else than OSV"),
    ],
)
def test_an_index_that_cannot_be_reached_changes_nothing_and_is_named(
    handler: type[Index] | None,
    reason: str,
    tmp_path: Path,
    lock: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = snapshot(tmp_path, {"id": "OLD", "package": "litellm", "versions": ["7.8.14"]})
    before = path.read_bytes()

    with index(handler or Index) as url:
        url = url if handler else "http://127.0.0.1:9"
        status = main(["--renew", "--index", url, "--snapshot", str(path), str(lock)])

    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"audit: cannot reach the advisories at {url}: ")
    assert reason in first
    assert first.endswith("; keeping the snapshot of 2026-01-02")
    assert path.read_bytes() == before
    assert status == 1  # it still has the advisories it had
