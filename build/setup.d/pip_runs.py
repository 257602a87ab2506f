"""Run the pip beside this Python, without user settings that would change the result.

Knows: which of pip's settings say how to reach an index, and pip's error messages. Depends on the
standard library only; independent of what is installed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping

# How to reach an index, and what must not be taken from it. No other user setting counts: `user`,
# `target`, `no-binary` and others like them would put other files in other places.
KEPT = frozenset(
    (
        *("index-url", "pypi-url", "extra-index-url", "no-index", "find-links", "trusted-host"),
        *("cert", "client-cert", "proxy", "keyring-provider"),
        *("timeout", "default-timeout", "retries", "resume-retries"),
        *("cache-dir", "no-cache-dir", "constraint"),
    )
)
# Two options say which certificates are trusted, among other things. Of each only one value counts,
# from the first pip that knows it and needs no other package for it.
CERTIFICATES = {
    "use-feature": ("truststore", (23, 3)),
    "use-deprecated": ("legacy-certs", (24, 2)),
}
# `pip config list` fails on a setting for another version of pip, and its output format changes
ASK = """
import json, sys, pip
from pip._internal.configuration import Configuration
from pip._internal.exceptions import ConfigurationError, PipError
configuration = Configuration(isolated=False)
try:
    configuration.load()
except PipError as error:
    sys.exit(str(error))
found = {}
for name in sys.argv[1:]:
    for section in ("global", "install"):
        try:
            found[name] = configuration.get_value(f"{section}.{name}")
        except ConfigurationError:
            pass
print(json.dumps({"version": pip.__version__, "settings": found}))
"""
OURS = {"config-file": os.devnull, "disable-pip-version-check": "1", "no-input": "1"}
# the first match counts: pip reports "no matching distribution" after a network failure as well
CAUSES = (
    (
        r"DO NOT MATCH THE HASHES",
        "the index has a file that is not the locked one; name another index: PIP_INDEX_URL=...",
    ),
    (
        r"\(constraint\)",
        "a constraint in pip's settings forbids a locked version; try it without: PIP_CONSTRAINT=",
    ),
    (r"No space left on device|Disk quota", "the disk is full"),
    (r"CERTIFICATE_VERIFY_FAILED", "the index's certificate is not trusted; set PIP_CERT=FILE"),
    (
        r"\b40[137] (Client )?Error",
        "the index or a proxy wants a password; put it into PIP_INDEX_URL or PIP_PROXY",
    ),
    (
        r"NewConnectionError|NameResolutionError|ProxyError|ConnectTimeout|ReadTimeout|"
        r"Connection(Reset)?Error",
        "the index cannot be reached; check the network, or set PIP_INDEX_URL or PIP_PROXY",
    ),
    (  # pip hides an index's refusal, such as 401
        r"requirement (?P<name>\S+) \(from versions: none\)",
        "the index shows no file of {name}; check its address and password: PIP_INDEX_URL=...",
    ),
    (
        r"No matching distribution found for (?P<name>\S+)",
        "the index has no wheel of {name} for this Python and machine; "
        "try another Python (PYTHON=...) or index (PIP_INDEX_URL=...)",
    ),
)
LAST = 15  # lines of pip's output that are displayed if it fails


class PipFailed(Exception):
    """What failed and the most likely reason, in one sentence."""


def run(what: str, *arguments: str) -> None:
    """Run pip to `what`; on a terminal, show the current package."""
    env = environment(os.environ, read_settings(os.environ))
    with subprocess.Popen(
        (sys.executable, "-I", "-m", "pip", *arguments),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line.rstrip())
            show(line)
    show("")
    if process.returncode:
        sys.stderr.write("".join(f"  {line}\n" for line in lines[-LAST:]))
        raise PipFailed(f"could not {what}: {find_cause(lines)}")


def show(line: str) -> None:
    """Show pip's current package on a line of the terminal that the next one replaces."""
    if sys.stderr.isatty():
        at = re.match(r"(Collecting|Processing|Installing|Downloading)\b.{,60}", line.strip())
        if at or not line:
            sys.stderr.write(f"\r\033[K{at[0] if at else ''}")
            sys.stderr.flush()


def find_cause(lines: list[str]) -> str:
    """Return the most likely reason, from pip's output."""
    for pattern, sentence in CAUSES:
        if found := re.search(pattern, "\n".join(lines)):
            return sentence.format(**found.groupdict())
    return "pip's last words are above"


def read_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Return the pip settings that count, from its files, then from variables, by option."""
    files = {key: value for key, value in env.items() if key == "PIP_CONFIG_FILE"}
    done = subprocess.run(
        (sys.executable, "-I", "-c", ASK, *KEPT, *CERTIFICATES),
        env={**without_settings(env), **files},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise PipFailed(f"pip cannot read its own settings: {done.stderr.strip()[-300:]}")
    told = json.loads(done.stdout)
    variables = {
        key.removeprefix("PIP_").lower().replace("_", "-"): value
        for key, value in env.items()
        if key.startswith("PIP_")
    }
    return what_counts(told["settings"] | variables, told["version"])


def what_counts(settings: Mapping[str, str], version: str) -> dict[str, str]:
    """Return the user's settings that are passed to this pip."""
    # an empty variable overrides a file
    kept = {key: value for key, value in settings.items() if key in KEPT and value}
    at = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    words = {
        key: word
        for key, (word, since) in CERTIFICATES.items()
        if at >= since and word in settings.get(key, "").split()
    }
    return kept | words


def environment(env: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the settings that count, instead of pip's files and variables."""
    both = {**settings, **OURS}
    told = {f"PIP_{key.replace('-', '_').upper()}": value for key, value in both.items()}
    return without_settings(env) | told


def without_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without pip's and Python's variables."""
    return {key: value for key, value in env.items() if not key.startswith(("PIP_", "PYTHON"))}
