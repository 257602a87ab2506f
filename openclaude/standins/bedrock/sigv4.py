"""Who signed a request, and whether the signature is valid.

Knows: AWS Signature Version 4, by botocore's own signer. Independent of: what was requested.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from openclaude.standins.base.exchange import Recorded

SERVICE = "bedrock"
MAX_SKEW_S = 300
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key_id>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)"
    r"/(?P<service>[^/,\s]+)/aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+)"
    r",\s*Signature=(?P<signature>[0-9a-f]{64})"
)
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
UNKNOWN = "The security token included in the request is invalid."


@dataclass(frozen=True, slots=True)
class Secret:
    """The secret half of an access key, and the session token that must come with it."""

    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRefusal:
    """An AWS error."""

    status: int
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The parts of an Authorization header."""

    key_id: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str


def read_claim(request: Recorded) -> Claim | SignatureRefusal:
    """Parse the Authorization header."""
    authorization = request.header("authorization")
    if authorization is None:
        return _refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = AUTHORIZATION.fullmatch(authorization.strip())
    if found is None:
        kind = "IncompleteSignatureException"
        return _refuse(kind, "Authorization header is not an AWS4-HMAC-SHA256 signature")
    parts = found.groupdict()
    return Claim(**(parts | {"headers": tuple(parts["headers"].split(";"))}))


def check_signature(
    request: Recorded,
    claim: Claim,
    *,
    credentials: Mapping[str, Secret],
    region: str | None,
    now: float,
) -> SignatureRefusal | None:
    """Return why the signature is not accepted, or None if it is."""
    secret = credentials.get(claim.key_id)
    if secret is None or not _has_token(request, claim, secret):
        return _refuse("UnrecognizedClientException", UNKNOWN)
    if claim.service != SERVICE:
        return _mismatch(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if region is not None and claim.region != region:
        return _mismatch(f"Credential should be scoped to a valid region, not '{claim.region}'.")
    date = request.header("x-amz-date") or ""
    if not date.startswith(claim.date) or not {"host", "x-amz-date"} <= set(claim.headers):
        return _mismatch("Date in Credential scope does not match, or Host or X-Amz-Date unsigned.")
    skew_s = _skew_s(date, now)
    if skew_s is None or abs(skew_s) > MAX_SKEW_S:
        return _mismatch(f"Signature expired or not yet current: {date} is not now.")
    expected = _signature(request, claim, secret, date)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        return _mismatch(MISMATCH)
    return None


def _has_token(request: Recorded, claim: Claim, secret: Secret) -> bool:
    """Tell whether the session token belongs to the key and is signed."""
    given = request.header("x-amz-security-token")
    if secret.session_token is None:
        return given is None
    is_right = hmac.compare_digest((given or "").encode(), secret.session_token.encode())
    return is_right and "x-amz-security-token" in claim.headers


def _skew_s(date: str, now: float) -> float | None:
    """Return how far the signer's clock is from ours, in seconds; None if it is not a date."""
    try:
        signed = datetime.strptime(date, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return signed.timestamp() - now


def _signature(request: Recorded, claim: Claim, secret: Secret, date: str) -> str:
    """Return the signature the request should have, over the headers it lists as signed."""
    signed = AWSRequest(
        method=request.method,
        url=f"http://{request.header('host')}{request.target}",
        data=request.body,
        headers={
            name: request.header(name) or ""
            for name in claim.headers
            if name != "host"  # botocore takes it from the URL
        },
    )
    signed.context["timestamp"] = date
    key = Credentials(claim.key_id, secret.secret_key, secret.session_token)
    signer = SigV4Auth(key, claim.service, claim.region)
    to_sign = signer.string_to_sign(signed, signer.canonical_request(signed))
    return str(signer.signature(to_sign, signed))


def _refuse(kind: str, message: str) -> SignatureRefusal:
    return SignatureRefusal(status=403, kind=kind, message=message)


def _mismatch(message: str) -> SignatureRefusal:
    return _refuse("InvalidSignatureException", message)
