"""Where AWS's programs keep their state: two files and two directories of logins.

Knows: the variables and the paths (botocore 1.44). Must not read any of them. Standard library
only: it is imported at launches.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# kind of a file -> the variable that names another, and where it is without
FILES = {
    "config": ("AWS_CONFIG_FILE", "~/.aws/config"),
    "credentials": ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
}
SSO_CACHE = "~/.aws/sso/cache"  # written by `aws sso login`
LOGIN_CACHE = "~/.aws/login/cache"  # written by `aws login`
# Where botocore still looks when an AWS profile has no credentials of its own.
ELSEWHERE = ("/etc/boto.cfg", "~/.boto")


def find_files(env: Mapping[str, str], home: Path) -> dict[str, Path]:
    """The two files by kind, whether or not they exist."""
    return {
        kind: expand(env.get(variable) or default, home).absolute()
        for kind, (variable, default) in FILES.items()
    }


def expand(path: str, home: Path) -> Path:
    """A path with `~` replaced by this user's home."""
    return Path(str(home) + path[1:] if path == "~" or path.startswith("~/") else path)
