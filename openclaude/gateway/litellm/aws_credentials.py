"""Makes LiteLLM take the credentials of an AWS profile from `aws/credentials.py`, which caches.

Knows: the one method by which LiteLLM requests credentials. Must not depend on how credentials are
found. Without this, LiteLLM creates a new session for every request, 5 ms each, and each time runs
a `credential_process` (measured with 1.108.14), assumes a role or asks SSO (read in it).
"""

from __future__ import annotations

import time
from typing import Any

from openclaude.aws.credentials import (
    ProfileCredentials,
    find_credentials,
    find_logins,
    look_at_files,
)


def keep_credentials() -> None:
    """Make LiteLLM take a profile's credentials from our cache; once per process."""
    from litellm.llms.bedrock.base_aws_llm import BaseAWSLLM

    find_logins()
    kept = ProfileCredentials(find_credentials, look_at_files, time.monotonic)

    def get(_self: BaseAWSLLM, aws_profile_name: str) -> tuple[Any, None]:  # LiteLLM's own names
        return kept.get(aws_profile_name), None  # None: LiteLLM must not cache them itself

    BaseAWSLLM._auth_with_aws_profile = get  # type: ignore[method-assign]
