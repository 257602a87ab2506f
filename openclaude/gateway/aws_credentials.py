"""Credentials of an AWS profile, kept for as long as they hold and nothing they come from changed.

Knows: botocore's sessions, the files they read, and the one method with which LiteLLM asks for a
profile's credentials. Refuses to know: requests, models. LiteLLM makes a new session for every
request (measured with 1.106.2): a `credential_process` runs, a role is assumed, SSO is asked each
time. A session that is kept renews its own credentials before they end, as in any AWS SDK.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

# However well the files look: what nobody thought of lasts no longer than this.
LONGEST_S = 900.0
METHOD = "_auth_with_aws_profile"
FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
LOGINS = ("~/.aws/sso/cache", "~/.aws/login/cache")  # `aws sso login` and `aws login` write there
# Keys that stand in a file whose change is noticed; all others without an end are asked for anew.
FROM_FILES = frozenset({"shared-credentials-file", "config-file"})

Stamp = tuple[tuple[str, int, int, int], ...]


class Kept(NamedTuple):
    """Credentials, what their files looked like, and when to ask again in any case."""

    credentials: Any  # botocore's
    stamp: Stamp
    until: float


class ProfileCredentials:
    """The credentials of profiles, each asked for once until something changes."""

    def __init__(
        self,
        find: Callable[[str], Any],
        look: Callable[[], Stamp],
        now: Callable[[], float],
    ) -> None:
        self._find = find
        self._look = look
        self._now = now
        self._kept: dict[str, Kept] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, profile: str) -> Any:
        """Credentials that hold now, as a copy that no renewal changes while a request is signed.

        Raises what botocore raises; then nothing is kept.
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

    def _current(self, profile: str) -> Kept | None:
        """What is kept, if it may still be used; else what the profile has now."""
        stamp = self._look()
        kept = self._kept.pop(profile, None)
        if kept is None or kept.stamp != stamp or self._now() >= kept.until:
            found = self._find(profile)
            if found is None:
                return None
            kept = Kept(found, stamp, self._now() + LONGEST_S)
        if may_be_kept(kept.credentials):
            self._kept[profile] = kept
        return kept


def may_be_kept(credentials: Any) -> bool:
    """Whether credentials renew themselves, or stand in a file."""
    from botocore.credentials import RefreshableCredentials  # type: ignore[import-untyped]

    return isinstance(credentials, RefreshableCredentials) or credentials.method in FROM_FILES


def copied(credentials: Any) -> Any:
    """The credentials of this moment: key, secret and token that belong together."""
    from botocore.credentials import Credentials

    frozen = credentials.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token, credentials.method)


def find_credentials(profile: str) -> Any:
    """What LiteLLM would ask for: the credentials of a new session."""
    import boto3  # type: ignore[import-untyped]

    return boto3.Session(profile_name=profile).get_credentials()


def look_at_files() -> Stamp:
    """What the files that credentials come from look like."""
    return tuple(stamps())


def stamps() -> Iterator[tuple[str, int, int, int]]:
    """Name, size, time and inode of each file that is there."""
    paths = [Path(os.environ.get(name) or path).expanduser() for name, path in FILES.items()]
    for folder in LOGINS:
        paths += sorted(Path(folder).expanduser().glob("*.json"))
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        yield (str(path), found.st_size, found.st_mtime_ns, found.st_ino)


def find_logins() -> None:
    """Let botocore look for SSO logins in this process's home.

    It settles that when it is imported: in the preloader, which has no HOME, before the fork.
    """
    from botocore.credentials import SSOProvider
    from botocore.tokens import SSOTokenProvider  # type: ignore[import-untyped]

    folder = str(Path(LOGINS[0]).expanduser())
    SSOProvider._SSO_TOKEN_CACHE_DIR = folder
    SSOTokenProvider._SSO_TOKEN_CACHE_DIR = folder


def keep_credentials() -> None:
    """Let LiteLLM ask us for a profile's credentials; once per process."""
    from litellm.llms.bedrock.base_aws_llm import BaseAWSLLM

    find_logins()
    kept = ProfileCredentials(find_credentials, look_at_files, time.monotonic)

    def get(_self: BaseAWSLLM, aws_profile_name: str) -> tuple[Any, None]:  # LiteLLM's own names
        return kept.get(aws_profile_name), None  # None: LiteLLM keeps no copy of its own

    setattr(BaseAWSLLM, METHOD, get)
