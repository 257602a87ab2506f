"""Errors on the way to a server, as LiteLLM reports them and as claude must show them."""

from __future__ import annotations

import json
import time

import pytest

from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.provider_message import unwrap
from openclaude.gateway.errors.reach import UNTRUSTED
from openclaude.gateway.errors.slot_errors import classify
from openclaude.gateway.routing.passthrough_reply import own_error

TLS = (
    "Cannot connect to host corp.example:443 ssl:True [SSLCertVerificationError: (1, "
    "'[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in "
    "certificate chain (_ssl.c:1006)')]"
)
REFUSED = "Cannot connect to host corp.example:443 ssl:default [Connect call failed]"
UNTRUSTED_SAID = (
    "the certificate of corp.example:443 is not trusted; if a proxy of your company inspects TLS, "
    "set NODE_EXTRA_CA_CERTS to its certificate, then start openclaude again"
)


@pytest.mark.parametrize(
    ("text", "said"), [(TLS, UNTRUSTED_SAID), (REFUSED, "cannot reach corp.example:443")]
)
def test_a_certificate_that_is_not_trusted_is_called_that(text: str, said: str) -> None:
    error = {"message": text, "type": "None", "param": "None", "code": "500"}

    body = json.dumps({"error": error}).encode()
    assert own_error(body) == f"openclaude: {said}"
    assert classify(500, unwrap(body), SlotRoute()).sentence == said


def test_the_worst_text_takes_no_time() -> None:
    worst = "Cannot connect to host a ssl:" * 4000

    began = time.process_time()
    UNTRUSTED.search(worst)

    assert time.process_time() - began < 1.0
