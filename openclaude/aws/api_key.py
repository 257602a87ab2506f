"""A Bedrock API key in the requests of a client of botocore's.

Knows: in which header it goes, and that it goes over nothing that can be read. Independent of: who
asks for what, where the key is from.
"""

from __future__ import annotations

from typing import Any

from openclaude.aws.endpoints import EndpointUnusable, is_plain


def with_key(client: Any, api_key: str) -> Any:
    """A client of botocore's that is made without a signature, with a Bedrock API key instead.

    botocore itself takes such a key from the environment only, and for a loopback address of a test
    it takes none.
    """

    def add(request: Any, **_: Any) -> None:
        if is_plain(request.url):
            raise EndpointUnusable(f"{request.url} is not encrypted: no API key is sent there")
        request.headers["Authorization"] = f"Bearer {api_key}"

    if api_key:
        client.meta.events.register("before-send", add)
    return client
