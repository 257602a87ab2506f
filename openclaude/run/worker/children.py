"""What a program that an instance starts finds in its environment: the user's own, nothing of ours.

Knows: which names are harmless. Independent of: which program it is; botocore runs an AWS profile's
`credential_process` with all that the instance has: every other provider's key and the local keys
among it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

from openclaude.contracts.worker import read_programs

NAMES = frozenset(
    {
        *("HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
        *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"),
    }
)
# of AWS's own: for a program that fetches AWS's credentials, except a key to Bedrock itself
PREFIXES = ("AWS_", "LC_", "XDG_")
# and of those, ours: in the user's shell the AWS CLI may ask the machine it runs on
NEVER = frozenset({"AWS_BEARER_TOKEN_BEDROCK", "AWS_EC2_METADATA_DISABLED"})


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an instance's environment that it may hand on."""
    return {
        name: value
        for name, value in environment.items()
        if name not in NEVER and (name in NAMES or name.startswith(PREFIXES))
    }


def keep_environment_from_children(users: str = "{}") -> None:
    """Pass on no more than that, unless a caller says otherwise; once per process.

    `users` has the user's variables for programs, which are nowhere else: a password manager's
    session is not this process's business. Raises Malformed.
    """
    for_programs = read_programs(users)
    original: Any = subprocess.Popen.__init__

    def start(self: Any, *arguments: Any, env: Any = None, **options: Any) -> None:
        given = {**child_environment(os.environ), **for_programs} if env is None else env
        original(self, *arguments, env=given, **options)

    subprocess.Popen.__init__ = start  # type: ignore[method-assign]
