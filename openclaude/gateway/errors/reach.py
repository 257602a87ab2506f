"""Errors on the way to a server: an untrusted certificate, a redirect.

Knows: aiohttp's wording for the first, as LiteLLM passes it on (measured with 1.108.14), ours for
the second, and how to fix each. Independent of: which server it is. On a company network an
untrusted certificate is the most common error of all.
"""

from __future__ import annotations

import re

UNTRUSTED = re.compile(
    r"Cannot connect to host (?P<address>[^\s/]{1,200}+) ssl:[^\n]{0,400}?"
    r"(?:CERTIFICATE_VERIFY_FAILED|certificate verify failed|CertificateError)"
)
# the message of `gateway.litellm.egress`, inside LiteLLM's wrapping
REDIRECT = r"\S{1,300}+ redirects to [^\n]{1,120} \(HTTP 3\d\d\), which is not followed"


def untrusted_sentence(address: str) -> str:
    """Say what is wrong, and which variable to set."""
    return (
        f"the certificate of {address} is not trusted; if a proxy of your company inspects TLS, "
        "set NODE_EXTRA_CA_CERTS to its certificate, then start openclaude again"
    )
