"""A profile from elsewhere: fetched over HTTPS or out of a git repository, and nothing else of it.

Knows: which addresses are taken, the limits of size and time. Independent of: what the profile
says, who reviews it. Nothing from a repository but the bytes of one regular file is used: there is
no checkout, no hook, no submodule, no filter.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import resource
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from openclaude.contracts.printable import printable
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import progress, ticking

HTTPS, GIT = "https://", "git+"
SUFFIX = ".toml"
TOTAL_S = 30.0  # for a file, whatever its server does
GIT_S = 60.0
STEP_S = 10.0  # for a connection, and between two parts of an answer
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LARGEST = 1 << 20  # bytes of a profile
LARGEST_PACK = 64 << 20  # bytes of a file that git writes: the newest commit of a repository
REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
REGULAR = frozenset({"100644", "100755"})
# an address that any reader of the command line may see
EXAMPLES = "`https://HOST/NAME.toml` or `git+https://HOST/REPOSITORY.git#NAME.toml`"


class NotFetched(OpenclaudeError):
    """A profile that could not be fetched."""

    code = "profile-not-fetched"


class Repository(NamedTuple):
    """A file in a git repository."""

    url: str
    ref: str  # a branch or a tag; "" for the default branch
    path: str  # "" for the only profile in it


def is_remote(source: str) -> bool:
    """Whether a source is an address and not a file of this machine."""
    return "://" in source or source.startswith(GIT)


def fetch_profile(source: str, env: Mapping[str, str]) -> tuple[bytes, str]:
    """The bytes of a profile and the name its address gives. Raises UsageError or NotFetched."""
    with (
        progress("fetching the profile") as say,
        ticking(say),
        tempfile.TemporaryDirectory(prefix="openclaude-") as folder,
    ):
        seen = trusting(env, Path(folder))
        if source.startswith(GIT):
            return from_git(read_repository(source), seen, Path(folder))
        check_address(source)
        return within(TOTAL_S, lambda: get(source, seen), source), Path(urlsplit(source).path).stem


def trusting(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment with the certificates that everything else of openclaude trusts."""
    from openclaude.run.worker.certificates import OF_SYSTEMS, trust

    seen = dict(env)
    trust(seen, folder, OF_SYSTEMS)
    return seen


def check_address(address: str) -> None:
    """Raise UsageError for an address that is not https, or that has a password in it."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme != "https" or not host or not address.isprintable() or " " in address:
        raise UsageError(
            f"`{printable(address)[:200]}` cannot be imported", hint=f"name a file, {EXAMPLES}"
        )
    if parts.username or parts.password:
        raise UsageError(
            "an address with a password in it is not fetched",
            hint="download the file, then import it",
        )


# --- https ----------------------------------------------------------------------------------------


def within(seconds: float, work: Callable[[], bytes], source: str) -> bytes:
    """What `work` returns, if it does in time: a server may send a byte a minute.

    Raises NotFetched.
    """
    done: list[bytes] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if done:
        return done[0]
    if failed and isinstance(failed[0], OpenclaudeError):
        raise failed[0]
    if failed and isinstance(failed[0], OSError | http.client.HTTPException):
        raise NotFetched(f"cannot fetch `{source}`: {why_not(failed[0])}") from failed[0]
    if failed:
        raise failed[0]
    raise NotFetched(f"cannot fetch `{source}`: no complete answer within {seconds:.0f} s")


def why_not(error: Exception) -> str:
    """A failure, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    said = getattr(error, "strerror", "") or str(error) or type(error).__name__
    return printable(said)[:200]


def get(address: str, env: Mapping[str, str]) -> bytes:
    """The answer of a server, after at most a few redirects to https. Raises NotFetched."""
    context = ssl.create_default_context(cafile=env.get("SSL_CERT_FILE") or None)
    for _ in range(MOST_REDIRECTS + 1):
        check_address(address)
        connection, target = connect(address, env, context)
        try:
            connection.request("GET", target, headers={"User-Agent": "openclaude", "Accept": "*/*"})
            with connection.getresponse() as answer:
                if answer.status in REDIRECTS:
                    address = redirected(address, answer.getheader("Location") or "")
                    continue
                if answer.status != 200:
                    raise NotFetched(f"cannot fetch `{address}`: HTTP {answer.status}")
                return checked(address, read_all(address, answer))
        finally:
            connection.close()
    raise NotFetched(f"cannot fetch `{address}`: more than {MOST_REDIRECTS} redirects")


def connect(
    address: str, env: Mapping[str, str], context: ssl.SSLContext
) -> tuple[http.client.HTTPSConnection, str]:
    """A connection, through the proxy that the environment names, and what to ask there.

    Raises NotFetched for a proxy that cannot be used.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 443
    named = env.get("HTTPS_PROXY") or env.get("https_proxy") or ""
    excluded = env.get("NO_PROXY") or env.get("no_proxy") or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not named or proxy_bypass_environment(host, {"no": excluded}):
        return http.client.HTTPSConnection(host, port, timeout=STEP_S, context=context), target
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    if proxy.scheme != "http" or proxy.username:
        raise NotFetched(
            f"cannot fetch `{address}` through this proxy",
            hint="download the file, then import it",
        )
    through = http.client.HTTPSConnection(
        proxy.hostname or "", proxy.port or 80, timeout=STEP_S, context=context
    )
    through.set_tunnel(host, port)
    return through, target


def redirected(address: str, location: str) -> str:
    """Where a server sends us. Raises NotFetched for anything but https."""
    target = urljoin(address, location)
    if not location or not target.startswith(HTTPS):
        raise NotFetched(
            f"`{address}` sends on to `{printable(target)[:200]}`, which is not https",
            hint="ask its owner; nothing was fetched from there",
        )
    return target


def read_all(address: str, answer: http.client.HTTPResponse) -> bytes:
    """The body, if it is of reasonable size. Raises NotFetched."""
    content = b""
    while part := answer.read1(1 << 16):
        content += part
        if len(content) > LARGEST:
            raise NotFetched(f"`{address}` is larger than 1 MiB")
    return content


def checked(address: str, content: bytes) -> bytes:
    """The content, unless it is a page for people. Raises NotFetched."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise NotFetched(
            f"`{address}` is a web page, not a profile",
            hint="take the address of the file itself (a repository's site calls it raw)",
        )
    return content


# --- git ------------------------------------------------------------------------------------------


def read_repository(source: str) -> Repository:
    """`git+https://HOST/REPOSITORY.git@REF#PATH`, read. Raises UsageError."""
    address, _, path = source.removeprefix(GIT).partition("#")
    front, slash, last = address.rpartition("/")
    name, at, ref = last.partition("@")
    if at and not REF.fullmatch(ref):
        raise UsageError(f"`{printable(ref)[:200]}` is not a branch or a tag", hint=EXAMPLES)
    url = f"{front}{slash}{name}"
    check_address(url)
    return Repository(url, ref, path.strip("/"))


def from_git(
    wanted: Repository, env: Mapping[str, str], folder: Path, protocols: str = "https"
) -> tuple[bytes, str]:
    """The file, and the name its path gives. Raises NotFetched."""
    bare = folder / "repository"
    branch = ["--branch", wanted.ref] if wanted.ref else []
    deadline = time.monotonic() + GIT_S

    def git(*arguments: str) -> bytes:
        return run_git(arguments, environment_of_git(env, folder, protocols), deadline, wanted.url)

    git(
        *("clone", "--quiet", "--bare", "--depth", "1", "--single-branch", "--no-tags"),
        *("--template=", *branch, "--", wanted.url, str(bare)),
    )
    listed = git("--git-dir", str(bare), "ls-tree", "-r", "-z", "--full-tree", "HEAD")
    mode, sha, path = find_profile(listed, wanted)
    if mode not in REGULAR:
        raise NotFetched(f"`{path}` in `{wanted.url}` is not a regular file")
    # its size first: a small pack can hold a blob of gigabytes
    if int(git("--git-dir", str(bare), "cat-file", "-s", sha)) > LARGEST:
        raise NotFetched(f"`{path}` in `{wanted.url}` is larger than 1 MiB")
    return git("--git-dir", str(bare), "cat-file", "blob", sha), Path(path).stem


def find_profile(listed: bytes, wanted: Repository) -> tuple[str, str, str]:
    """Mode, object and path of the file that is wanted, in what `git ls-tree -z` lists.

    Raises NotFetched.
    """
    rows = {}
    for entry in listed.split(b"\0"):
        what, tab, path = entry.decode("utf-8", "replace").partition("\t")
        if tab and len(what.split()) == 3:
            rows[path] = (what.split()[0], what.split()[2], path)
    if wanted.path:
        if found := rows.get(wanted.path):
            return found
        raise NotFetched(f"`{wanted.url}` has no file `{printable(wanted.path)}`")
    profiles = sorted(path for path in rows if path.endswith(SUFFIX))
    if len(profiles) == 1:
        return rows[profiles[0]]
    names = ", ".join(f"`{printable(path)}`" for path in profiles[:10])
    raise NotFetched(
        f"`{wanted.url}` has {len(profiles) or 'no'} files that end with {SUFFIX}",
        hint=f"name one after a `#`: {names}" if names else f"name one after a `#`: {EXAMPLES}",
    )


def environment_of_git(env: Mapping[str, str], folder: Path, protocols: str) -> dict[str, str]:
    """git without the user's and the system's configuration, and without anything to ask."""
    kept = ("PATH", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "LANG")
    bundle = env.get("SSL_CERT_FILE", "")
    return {
        **{name: env[name] for name in kept if env.get(name)},
        **({"GIT_SSL_CAINFO": bundle} if bundle else {}),
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_NO_LAZY_FETCH": "1",
    }


def run_git(arguments: tuple[str, ...], env: Mapping[str, str], deadline: float, url: str) -> bytes:
    """What git prints. Raises NotFetched if it fails, or does not end in time."""
    options = ("-c", "core.hooksPath=/dev/null", "-c", "transfer.fsckObjects=true")
    try:
        process = subprocess.Popen(
            ("git", *options, *arguments),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # its own group: what it starts ends with it
            preexec_fn=limit_files,
        )
    except OSError as error:
        raise NotFetched(
            f"cannot run git: {error.strerror}", hint="install git, or download the file"
        ) from error
    with process:
        try:
            out, err = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise NotFetched(f"git did not get `{url}` within {GIT_S:.0f} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        said = printable(err.decode("utf-8", "replace").strip())[-300:]
        raise NotFetched(f"git cannot get `{url}`: {said or f'exit status {process.returncode}'}")
    return out


def limit_files() -> None:
    """In git's process: no file larger than a repository's newest commit may be."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_PACK, LARGEST_PACK))
