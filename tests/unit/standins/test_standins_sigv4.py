"""Signatures: botocore's own are accepted, and nothing that differs from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.sigv4 import (
    Claim,
    Secret,
    SignatureRefusal,
    check_signature,
    read_claim,
)

KEY_ID, SECRET, TOKEN = "AKIASTANDIN", "a/secret+key", "a-session-token"
URL = "http://127.0.0.1:1234/model/openai.gpt-oss-120b-1%3A0/converse"
NOW = 1_795_000_000.0
MISMATCH = "InvalidSignatureException"
Edit = Callable[[Recorded], Recorded]


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    monkeypatch.setattr(
        "botocore.auth.get_current_datetime", lambda *_, **__: datetime.fromtimestamp(NOW, UTC)
    )


def sign(
    *,
    secret: str = SECRET,
    token: str | None = None,
    service: str = "bedrock",
    region: str = "us-west-2",
    url: str = URL,
    key_id: str = KEY_ID,
) -> Recorded:
    request = AWSRequest(
        method="POST", url=url, data=b"{}", headers={"Content-Type": "application/json"}
    )
    SigV4Auth(Credentials(key_id, secret, token), service, region).add_auth(request)
    headers = {"Host": "127.0.0.1:1234", **dict(request.headers.items())}
    return Recorded(
        method="POST",
        target=url.removeprefix("http://127.0.0.1:1234"),
        headers=tuple((name.encode(), value.encode()) for name, value in headers.items()),
        body=b"{}",
        at=0.0,
    )


def check(
    request: Recorded,
    *,
    token: str | None = None,
    now: float = NOW,
    region: str | None = "us-west-2",
) -> str:
    """Return the kind of the refusal; empty if the request is accepted."""
    claim = read_claim(request)
    if isinstance(claim, SignatureRefusal):
        return claim.kind
    refusal = check_signature(
        request, claim, credentials={KEY_ID: Secret(SECRET, token)}, region=region, now=now
    )
    return refusal.kind if refusal else ""


def with_header(name: str, value: str | None) -> Edit:
    def edit(request: Recorded) -> Recorded:
        kept = tuple(pair for pair in request.headers if pair[0].lower() != name.encode())
        added = () if value is None else ((name.encode(), value.encode()),)
        return replace(request, headers=(*kept, *added))

    return edit


def reworded(old: str, new: str) -> Edit:
    def edit(request: Recorded) -> Recorded:
        authorization = request.header("authorization") or ""
        assert old in authorization
        return with_header("authorization", authorization.replace(old, new))(request)

    return edit


@pytest.mark.parametrize(
    "url",
    [
        URL,
        URL + "-stream",
        URL.replace("openai", "arn%3Aaws%3Abedrock%3Aus-west-2%3A%3Afoundation-model%2Fopenai"),
        URL + "?b=2&a=1",
    ],
)
def test_a_right_signature_is_believed(url: str) -> None:
    assert check(sign(url=url)) == ""


def test_a_right_signature_with_its_session_token_is_believed() -> None:
    assert check(sign(token=TOKEN), token=TOKEN) == ""


@pytest.mark.parametrize("skew_s", [-299, 299])
def test_a_clock_may_differ_by_five_minutes(skew_s: int) -> None:
    assert check(sign(), now=NOW + skew_s) == ""


@pytest.mark.parametrize(
    "edit", [with_header("anthropic-beta", "x"), with_header("x-unsigned", "y")]
)
def test_headers_beside_the_signature_do_not_matter(edit: Edit) -> None:
    assert check(edit(sign())) == ""


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (lambda request: replace(request, body=b"{ }"), MISMATCH),
        (lambda request: replace(request, method="PUT"), MISMATCH),
        (lambda request: replace(request, target=request.target + "-stream"), MISMATCH),
        (lambda request: replace(request, target=request.target.replace("%3A", ":")), MISMATCH),
        (with_header("content-type", "text/plain"), MISMATCH),
        (with_header("host", "elsewhere"), MISMATCH),
        (with_header("x-amz-date", None), MISMATCH),
        (with_header("x-amz-date", "yesterday"), MISMATCH),
        (reworded("/us-west-2/", "/us-east-1/"), MISMATCH),
        (reworded("/20261118/", "/20261117/"), MISMATCH),
        (reworded("host;", ""), MISMATCH),
        (reworded(";x-amz-date", ""), MISMATCH),
        (reworded(KEY_ID, "AKIAOTHER"), "UnrecognizedClientException"),
        (reworded("Signature=", "Signature=0"), "IncompleteSignatureException"),
        (with_header("authorization", "Bearer abc"), "IncompleteSignatureException"),
        (with_header("authorization", None), "MissingAuthenticationTokenException"),
        (with_header("x-amz-security-token", TOKEN), "UnrecognizedClientException"),
    ],
)
def test_whatever_was_changed_after_signing_is_refused(edit: Edit, kind: str) -> None:
    assert check(edit(sign())) == kind


@pytest.mark.parametrize(
    ("request_", "token", "now", "kind"),
    [
        (lambda: sign(secret="another"), None, NOW, MISMATCH),
        (lambda: sign(service="s3"), None, NOW, MISMATCH),
        (lambda: sign(region="eu-west-1"), None, NOW, MISMATCH),
        (lambda: sign(), None, NOW + 301, MISMATCH),
        (lambda: sign(), None, NOW - 301, MISMATCH),
        (lambda: sign(), TOKEN, NOW, "UnrecognizedClientException"),
        (lambda: sign(token="old"), TOKEN, NOW, "UnrecognizedClientException"),
        (lambda: sign(token=TOKEN), None, NOW, "UnrecognizedClientException"),
    ],
)
def test_a_signature_by_the_wrong_party_or_at_the_wrong_time_is_refused(
    request_: Callable[[], Recorded], token: str | None, now: float, kind: str
) -> None:
    assert check(request_(), token=token, now=now) == kind


def test_without_a_wanted_region_any_region_is_believed() -> None:
    assert check(sign(region="eu-west-1"), region=None) == ""


def test_a_session_token_has_to_be_signed() -> None:
    request = with_header("x-amz-security-token", TOKEN)(sign())

    assert check(request, token=TOKEN) == "UnrecognizedClientException"


def test_a_secret_does_not_print_itself() -> None:
    assert SECRET not in repr(Secret(SECRET, TOKEN))
    assert TOKEN not in repr(Secret(SECRET, TOKEN))


def test_a_claim_says_who_signed_what() -> None:
    claim = read_claim(sign())

    assert isinstance(claim, Claim)
    assert (claim.key_id, claim.region, claim.service) == (KEY_ID, "us-west-2", "bedrock")
    assert claim.headers == ("content-type", "host", "x-amz-date")
