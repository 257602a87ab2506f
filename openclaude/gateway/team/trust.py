"""Whom a server's certificate must be of: an authority of its own, or those of this machine.

Knows: Python's ssl. Independent of: LiteLLM, who asks. `doctor --online` asks by the same rules.
"""

from __future__ import annotations

import os
import ssl

TRUST = (
    "its certificate is not trusted{}; set `providers.ca` in the profile to the file with the "
    "certificate of its authority"
)


def trusted_by(authority: str) -> ssl.SSLContext:
    """The context that accepts certificates for a server's own name, of this authority alone.

    "" is for whom else this process trusts. Raises OSError. A team's authority is trusted for the
    team's server and for nobody else: it must not be able to speak for Anthropic.
    """
    import certifi

    return ssl.create_default_context(
        cafile=authority or os.environ.get("SSL_CERT_FILE") or certifi.where()
    )
