"""Makes LiteLLM take an AWS profile's credentials and address from `aws/`, which caches both.

Knows: the two methods by which LiteLLM finds them. Must not depend on how they are found. Without
this, LiteLLM creates a new session for every request, 5 ms each, and each time runs a
`credential_process` (measured with 1.108.14), assumes a role or asks SSO (read in it).
"""

from __future__ import annotations

import os
import time
from typing import Any

from openclaude.aws.credentials import (
    ProfileCredentials,
    find_credentials,
    find_logins,
    look_at_files,
)
from openclaude.aws.endpoints import ProfileEndpoints, find_endpoint


def keep_credentials() -> None:
    """Make LiteLLM take a profile's credentials from our cache; once per process."""
    from litellm.llms.bedrock.base_aws_llm import BaseAWSLLM

    find_logins()
    kept = ProfileCredentials(find_credentials, look_at_files, time.monotonic)

    def get(_self: BaseAWSLLM, aws_profile_name: str) -> tuple[Any, None]:  # LiteLLM's own names
        return kept.get(aws_profile_name), None  # None: LiteLLM must not cache them itself

    BaseAWSLLM._auth_with_aws_profile = get  # type: ignore[method-assign]


def keep_endpoints() -> None:
    """Make LiteLLM ask the address that the AWS profile decides; once per process.

    LiteLLM itself knows the region's public one (read in 1.108.14).
    """
    from litellm.llms.bedrock.base_aws_llm import BaseAWSLLM

    kept = ProfileEndpoints(find_endpoint, look_at_files)
    original = BaseAWSLLM._select_default_endpoint_url

    def select(self: BaseAWSLLM, endpoint_type: Any, aws_region_name: str) -> str:
        if endpoint_type in {None, "runtime"}:
            profile = os.environ.get("OPENCLAUDE_AWS_PROFILE", "")
            if found := kept.get(profile, aws_region_name):
                return found
        return original(self, endpoint_type, aws_region_name)

    BaseAWSLLM._select_default_endpoint_url = select  # type: ignore[method-assign]
