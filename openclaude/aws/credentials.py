"""Credentials of an AWS profile, cached while they are valid and their sources are unchanged.

Knows: botocore's sessions, the files they read. Must not depend on who asks for credentials, nor on
requests and models. A cached session renews its credentials before they expire, as in any AWS SDK.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.aws.locations import LOGIN_CACHE, SSO_CACHE, expand, find_files

# However well the files look: unforeseen cases last no longer than this.
LONGEST_S = 900.0
# Keys from a file whose changes are noticed; all others without an expiry are fetched again.
FROM_FILES = frozenset({"shared-credentials-file", "config-file"})

Stamp = tuple[tuple[str, int, int, int], ...]


class KeptCredentials(NamedTuple):
    """Credentials, the state of their files, and when to fetch them again in any case."""

    credentials: Any  # botocore's
    stamp: Stamp
    until: float


class ProfileCredentials:
    """The credentials of profiles, each fetched once until something changes."""

    def __init__(
        self,
        find: Callable[[str], Any],
        look: Callable[[], Stamp],
        now: Callable[[], float],
    ) -> None:
        self._find = find
        self._look = look
        self._now = now
        self._kept: dict[str, KeptCredentials] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, profile: str) -> Any:
        """Valid credentials, as a copy that no renewal changes while a request is signed.

        Raises what botocore raises; then nothing is cached.
        """
        with self._locks.setdefault(profile, threading.Lock()):
            kept = self._current(profile)
            if kept is None:
                return None
            try:
                return copied(kept.credentials)
            except Exception:
                self._kept.pop(profile, None)
                raise

    def _current(self, profile: str) -> KeptCredentials | None:
        """The cached credentials if they may still be used, else those of the profile now."""
        stamp = self._look()
        kept = self._kept.pop(profile, None)
        if kept is None or kept.stamp != stamp or self._now() >= kept.until:
            found = self._find(profile)
            if found is None:
                return None
            kept = KeptCredentials(credentials=found, stamp=stamp, until=self._now() + LONGEST_S)
        if may_be_kept(kept.credentials):
            self._kept[profile] = kept
        return kept


def may_be_kept(credentials: Any) -> bool:
    """Whether credentials renew themselves, or are in a file."""
    from botocore.credentials import RefreshableCredentials

    return isinstance(credentials, RefreshableCredentials) or credentials.method in FROM_FILES


def copied(credentials: Any) -> Any:
    """A consistent snapshot: key, secret and token that belong together."""
    from botocore.credentials import Credentials

    frozen = credentials.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token, credentials.method)


def find_credentials(profile: str) -> Any:
    """What LiteLLM itself would fetch: the credentials of a new session."""
    import boto3

    return boto3.Session(profile_name=profile).get_credentials()


def look_at_files() -> Stamp:
    """The state of the files that credentials come from."""
    return tuple(stamps())


def stamps() -> Iterator[tuple[str, int, int, int]]:
    """Name, size, time and inode of each file that is there."""
    paths = list(find_files(os.environ, Path.home()).values())
    for folder in (SSO_CACHE, LOGIN_CACHE):
        paths += sorted(expand(folder, Path.home()).glob("*.json"))
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        yield (str(path), found.st_size, found.st_mtime_ns, found.st_ino)


def find_logins() -> None:
    """Let botocore look for SSO logins in this process's home.

    It decides that on import, which happens in the forkserver, without HOME.
    """
    from botocore.credentials import SSOProvider
    from botocore.tokens import SSOTokenProvider

    folder = str(expand(SSO_CACHE, Path.home()))
    SSOProvider._SSO_TOKEN_CACHE_DIR = folder
    SSOTokenProvider._SSO_TOKEN_CACHE_DIR = folder
