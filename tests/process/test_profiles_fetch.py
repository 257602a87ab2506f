"""`profiles import` from a server and from a repository, also from rude ones."""

from __future__ import annotations

import contextlib
import http.server
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaude.commands.profiles import fetch
from openclaude.commands.profiles.fetch import (
    NotFetched,
    Repository,
    fetch_profile,
    from_git,
    is_remote,
    read_repository,
)
from openclaude.errors import UsageError
from openclaude.run.launcher.certificate import make_certificate

PROFILE = b'schema = 1\nextends = "qwen"\n'
Handler = Callable[[http.server.BaseHTTPRequestHandler], None]


class Rude:
    """A server with TLS that answers as a test says."""

    def __init__(self, folder: Path) -> None:
        key, certificate = make_certificate()
        (folder / "both.pem").write_text(f"{key}\n{certificate}")
        (folder / "ca.pem").write_text(certificate)
        self.answer: Handler = lambda handler: whole(handler, PROFILE)
        outer = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(OSError):
                    outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "both.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.env = {**os.environ, "SSL_CERT_FILE": str(folder / "ca.pem"), "NO_PROXY": "127.0.0.1"}


def whole(handler: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(body)


def moved(to: str) -> Handler:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.end_headers()

    return answer


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    whole(handler, b"")
    while True:
        handler.wfile.write(b"#" * 65536)


def noise(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00" * 70_000)


def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.flush()
    threading.Event().wait(20)


@pytest.fixture
def rude(tmp_path: Path) -> Iterator[Rude]:
    made = Rude(tmp_path)
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_profile_is_fetched_over_tls_that_is_verified(rude: Rude) -> None:
    assert fetch_profile(f"{rude.url}/a/mine.toml?raw=1", rude.env) == (PROFILE, "mine")

    with pytest.raises(NotFetched, match="certificate is not trusted"):
        fetch_profile(f"{rude.url}/mine.toml", {"NO_PROXY": "127.0.0.1"})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (endless, "is larger than 1 MiB"),
        (silent, "no complete answer within"),
        (moved("/again.toml"), "more than 5 redirects"),
        (moved("http://127.0.0.1/x.toml"), "which is not https"),
        (moved("file:///etc/passwd"), "which is not https"),
        (moved(""), "which is not https"),
        (lambda handler: whole(handler, b"\n<!DOCTYPE html><html>"), "is a web page"),
        (lambda handler: handler.send_error(404), "HTTP 404"),
        (noise, "cannot fetch"),
    ],
    ids=["endless", "silent", "loop", "http", "file", "nowhere", "html", "404", "noise"],
)
def test_a_rude_server_is_an_error_and_no_profile(
    rude: Rude, monkeypatch: pytest.MonkeyPatch, answer: Handler, said: str
) -> None:
    monkeypatch.setattr(fetch, "TOTAL_S", 3.0)
    rude.answer = answer

    with pytest.raises(NotFetched, match=said):
        fetch_profile(f"{rude.url}/mine.toml", rude.env)


@pytest.mark.parametrize(
    "source",
    [
        *("http://example.com/x.toml", "file:///etc/passwd", "ftp://x/y.toml", "https://"),
        *("https://a:b@example.com/x.toml", "git+file:///tmp/x", "git+ssh://git@x/y.git"),
        *("git+http://example.com/x.git", "git+ext::sh -c id", "git+https://x/y.git@--upload"),
        *("https://[x/y.toml", "git+--upload-pack=id"),
    ],
)
def test_nothing_else_is_an_address(source: str) -> None:
    assert is_remote(source)
    with pytest.raises(UsageError):
        fetch_profile(source, {"PATH": "/nowhere"})


def test_a_repository_has_an_address_a_branch_and_a_path() -> None:
    found = read_repository("git+https://h/a/b.git@v1#p/q.toml")
    assert found == Repository("https://h/a/b.git", "v1", "p/q.toml")
    assert read_repository("git+https://h/a/b.git") == Repository("https://h/a/b.git", "", "")
    assert not is_remote("mine.toml")
    assert not is_remote("-")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a profile, a link, a large file, a hook and a submodule's file."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(tmp_path)}

    def git(*words: str) -> None:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        subprocess.run(("git", *who, *words), cwd=folder, env=env, check=True, capture_output=True)

    git("init", "--quiet")
    (folder / "profiles").mkdir()
    (folder / "profiles/mine.toml").write_bytes(PROFILE)
    (folder / "link.toml").symlink_to("/etc/passwd")
    (folder / "large.toml").write_bytes(b"#" * (2 << 20))
    (folder / ".gitmodules").write_text('[submodule "x"]\npath = x\nurl = ext::sh -c id\n')
    (folder / ".gitattributes").write_text("*.toml filter=evil\n")
    git("add", "-A")
    git("commit", "--quiet", "-m", "x")
    return folder


def taken(repository: Path, path: str, where: Path) -> tuple[bytes, str]:
    folder = where / "work"
    folder.mkdir()
    wanted = Repository(f"file://{repository}", "", path)
    return from_git(wanted, dict(os.environ), folder, protocols="file")


def test_one_regular_file_of_a_repository_is_taken(repository: Path, tmp_path: Path) -> None:
    assert taken(repository, "profiles/mine.toml", tmp_path) == (PROFILE, "mine")
    left = {path.name for path in (tmp_path / "work").rglob("*") if path.suffix == ".toml"}
    assert left == set()  # nothing was checked out


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("link.toml", "is not a regular file"),
        ("large.toml", "larger than 1 MiB"),
        ("profiles", "has no file"),
        ("../x.toml", "has no file"),
        ("", "has 3 files that end with .toml"),
    ],
)
def test_nothing_else_of_a_repository_is_taken(
    repository: Path, tmp_path: Path, path: str, said: str
) -> None:
    with pytest.raises(NotFetched, match=said):
        taken(repository, path, tmp_path)


def test_git_itself_refuses_every_protocol_but_https(repository: Path, tmp_path: Path) -> None:
    wanted = Repository(f"file://{repository}", "", "profiles/mine.toml")

    with pytest.raises(NotFetched, match="git cannot get"):
        from_git(wanted, dict(os.environ), tmp_path)
