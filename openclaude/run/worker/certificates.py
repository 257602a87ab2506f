"""The certificate authorities that an instance trusts: all those of claude and the user.

Knows: the variables that name a bundle, where systems keep theirs. Independent of: TLS itself.
LiteLLM knows SSL_CERT_FILE alone; behind a proxy that inspects TLS, claude gets along with
NODE_EXTRA_CA_CERTS or the system's own store, and so must we.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import MutableMapping
from pathlib import Path

from openclaude.contracts.worker import HOP_CERTIFICATE_VARIABLE

# These say whom to trust; without one it is certifi's list and the system's
REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
ADDING = ("NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE", HOP_CERTIFICATE_VARIABLE)
FOLDER = "SSL_CERT_DIR"  # OpenSSL's: one certificate a file
MOST_FILES = 2000  # of such a folder; Debian's has 300
OF_SYSTEMS = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine, NixOS
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its relatives
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
CERTIFICATE = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END [A-Z ]+-----")
LARGEST = 16 * 1024 * 1024  # bytes; Debian's store has 220 kB


def trust(environment: MutableMapping[str, str], folder: Path, system: tuple[str, ...]) -> None:
    """Name one bundle of all authorities trusted in `environment`, writing it into `folder`.

    Left unchanged if certifi's own list has all of them.
    """
    import certifi

    given = [environment[name] for name in REPLACING if environment.get(name)]
    base = given or [certifi.where(), *system]
    added = [environment[name] for name in ADDING if environment.get(name)]
    added += files_in(environment.get(FOLDER, ""))
    paths = [path for path in (*base, *added) if Path(path).is_file()]
    found = [certificates(path) for path in paths]
    together = dict.fromkeys(one for several in found for one in several)
    if not together or (found and len(together) == len(dict.fromkeys(found[0])) and not given):
        return
    name_bundle(environment, write_bundle(folder, list(together)))


def files_in(folders: str) -> list[str]:
    """The files of OpenSSL's folders, which are separated as PATH is; none that cannot be read."""
    found: list[str] = []
    for folder in filter(None, folders.split(os.pathsep)):
        try:
            found += sorted(entry.path for entry in os.scandir(folder))[:MOST_FILES]
        except OSError:
            continue
    return found


def certificates(path: str) -> list[bytes]:
    """The certificates in a file, as they are written; none where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(LARGEST)
    except OSError:
        return []
    return [b"\n".join(found.split(b"\r\n")) for found in CERTIFICATE.findall(text)]


def write_bundle(folder: Path, bundle: list[bytes]) -> Path:
    """The bundle as a file named after what it says."""
    text = b"\n".join(bundle) + b"\n"
    path = folder / f"trusted-{hashlib.sha256(text).hexdigest()[:16]}.pem"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return temporary.replace(path)


def name_bundle(environment: MutableMapping[str, str], bundle: Path) -> None:
    """Set every variable that is read: by Python's ssl, requests, botocore."""
    for name in (*REPLACING, "AWS_CA_BUNDLE"):
        environment[name] = str(bundle)
