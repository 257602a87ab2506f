"""Installing from the locks: how they are read and compared, and which settings of pip count."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

# build/ is not a package: it has no __init__.py
sys.path.insert(0, str(REPOSITORY / "build/setup.d"))
sys.path.insert(0, str(REPOSITORY / "build/lock.d"))
from back_end import required, with_requirements
from locked import mistakes, read_lock
from pip_runs import environment, find_cause, what_counts

BUILD = REPOSITORY / "build"
LOCKS = sorted(BUILD.glob("*.lock"))
LOCK = """\
a.b==1.0 \\
    --hash=sha256:x
old==2.4 ; python_full_version < '3.11' \\
    --hash=sha256:x \\
    --hash=sha256:y
new==2.5 ; python_full_version >= '3.11' \\
    --hash=sha256:x
short==3 --hash=sha256:x
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Write a lock with another one beside it."""
    (tmp_path / "other.lock").write_text("tool==7 \\\n    --hash=sha256:x\n")
    (tmp_path / "requirements.lock").write_text(LOCK)
    return tmp_path / "requirements.lock"


# The locks ----------------------------------------------------------------------------------------


def test_a_lock_is_read_with_its_markers(lock: Path) -> None:
    pins = read_lock(lock)

    assert [(pin.name, pin.version, pin.marker) for pin in pins] == [
        ("a-b", "1.0", ""),
        ("old", "2.4", "python_full_version < '3.11'"),
        ("new", "2.5", "python_full_version >= '3.11'"),
        ("short", "3", ""),
    ]
    assert "".join(pin.text for pin in pins) == LOCK


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_of_our_locks_is_read_and_has_a_hash(lock: Path) -> None:
    rows = [line for line in lock.read_text().splitlines() if not line.startswith("    --hash=")]

    assert len(read_lock(lock)) == len(rows)
    assert "".join(pin.text for pin in read_lock(lock)) == lock.read_text()
    assert all(re.search(r"--hash=sha256:\w{64}", pin.text) for pin in read_lock(lock))


def test_one_package_has_one_version_in_all_our_locks() -> None:
    versions: dict[str, set[frozenset[str]]] = {}
    for lock in LOCKS:
        pins = read_lock(lock)
        for name in {pin.name for pin in pins}:
            theirs = frozenset(pin.version for pin in pins if pin.name == name)
            versions.setdefault(name, set()).add(theirs)

    assert len(LOCKS) == 4
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_wheel_is_built_by_the_locked_back_end() -> None:
    pyproject = (REPOSITORY / "pyproject.toml").read_text()
    pins = required((BUILD / "bootstrap.lock").read_text())

    assert tomllib.loads(pyproject)["build-system"]["requires"] == pins
    assert pins[0].startswith("hatchling==")
    assert with_requirements(pyproject, pins) == pyproject
    changed = with_requirements(pyproject, ["x==1"])
    assert tomllib.loads(changed)["build-system"]["requires"] == ["x==1"]


# The comparison -----------------------------------------------------------------------------------

AS_LOCKED = {"a-b": "1.0", "new": "2.5", "short": "3"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (AS_LOCKED, []),
        ({**AS_LOCKED, "tool": "7", "openclaude": "0.1"}, []),
        ({**AS_LOCKED, "a-b": "2"}, ["a-b 2 is not 1.0"]),
        ({"a-b": "1.0", "short": "3"}, ["new is missing"]),
        ({**AS_LOCKED, "tool": "8", "x": "1"}, ["tool 8 is in no lock", "x 1 is in no lock"]),
        ({**AS_LOCKED, "old": "2.4"}, ["old 2.4 is in no lock"]),
    ],
)
def test_what_is_not_as_locked_is_named(
    found: dict[str, str], expected: list[str], lock: Path
) -> None:
    assert mistakes(lock, found) == expected


# pip ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "cert"),
        *("client-cert", "proxy", "timeout", "default-timeout", "retries", "cache-dir"),
        *("no-cache-dir", "keyring-provider", "constraint"),
    ],
)
def test_how_an_index_is_reached_is_the_users_to_say(option: str) -> None:
    told = environment({"HOME": "/h", "http_proxy": "p"}, what_counts({option: "x"}, "23.0.1"))

    assert told[f"PIP_{option.replace('-', '_').upper()}"] == "x"
    assert (told["HOME"], told["http_proxy"]) == ("/h", "p")


@pytest.mark.parametrize(
    "option",
    [
        *("user", "target", "prefix", "root", "python", "requirement", "editable", "no-binary"),
        *("only-binary", "platform", "abi", "python-version", "implementation", "dry-run", "pre"),
        *("quiet", "require-virtualenv", "no-deps", "upgrade", "force-reinstall", "no-compile"),
        *("config-settings", "no-build-isolation", "ignore-installed", "src", "log", "report"),
    ],
)
def test_no_other_setting_of_pip_counts(option: str) -> None:
    variable = f"PIP_{option.replace('-', '_').upper()}"

    assert variable not in environment({variable: "x"}, what_counts({option: "x"}, "26.3"))


def test_no_file_of_pips_and_no_variable_of_pythons_is_read_again() -> None:
    told = environment({"PYTHONPATH": "/x", "PIP_CONFIG_FILE": "/y"}, {"config-file": "/y"})

    assert told["PIP_CONFIG_FILE"] == "/dev/null"
    assert "PYTHONPATH" not in told


@pytest.mark.parametrize(
    ("option", "value", "version", "counts"),
    [
        ("use-feature", "truststore", "23.0.1", None),  # it requires another package
        ("use-feature", "truststore", "23.3", "truststore"),
        ("use-feature", "\nfast-deps\ntruststore", "26.3", "truststore"),
        ("use-feature", "fast-deps", "26.3", None),
        ("use-deprecated", "legacy-certs", "24.1.2", None),  # it ends at an unknown option
        ("use-deprecated", "legacy-certs", "24.2", "legacy-certs"),
        ("use-deprecated", "legacy-resolver", "26.3", None),
        ("cert", "/c.pem", "23.0.1", "/c.pem"),
        ("cert", "", "26.3", None),
    ],
)
def test_which_certificates_are_trusted_is_the_users_to_say_as_far_as_this_pip_knows(
    option: str, value: str, version: str, counts: str | None
) -> None:
    assert what_counts({option: value}, version).get(option) == counts


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "is not the locked one"),
        ("    The user requested (constraint) x<1", "PIP_CONSTRAINT="),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "PIP_CERT"),
        ("ERROR: HTTP error 403 while getting", "pip's last words"),
        ("ERROR: 403 Client Error: Forbidden for url", "wants a password"),
        ("Retrying after connection broken by 'NewConnectionError(", "cannot be reached"),
        ("satisfies the requirement x==1 (from versions: none)", "shows no file of x==1; check"),
        ("ERROR: No matching distribution found for x==1", "no wheel of x==1 for this Python"),
        ("ERROR: something else", "pip's last words are above"),
    ],
)
def test_a_failure_of_pips_is_one_sentence(line: str, cause: str) -> None:
    assert cause in find_cause(["Looking in indexes", line])


# Every use of pip ---------------------------------------------------------------------------------

# commands for users, programs that print them, installers of wheels that were downloaded by hash,
# one that tries another LiteLLM in an environment of its own, and one that compiles another's
# server in such a one, for a single test
ELSEWHERE = {
    "build/contract.d/fetch.py",
    "build/llama",
    "build/nix/package.nix",
    "build/wheel",
    "tests/bench/fetch-peers",
}


def test_nothing_else_of_ours_installs_with_pip() -> None:
    folders = (BUILD, REPOSITORY / "tests/bench", REPOSITORY / ".ci")
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    uses = re.compile(
        r"^[^#]*\b(pip|pipx|uv|uv tool)\b(?: --?\S+)* (install|download|wheel)\b"
        r'|"pip", "(install|download|wheel)"'
    )
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for path in files
        if path.suffix not in {".pyc", ".lock", ".json"}
        and not any(part.endswith("_cache") for part in path.parts)
        and any(uses.search(line) for line in path.read_text().splitlines())
    }

    assert found == ELSEWHERE
