"""The way to the internet that claude itself would take: its proxy, and whom it trusts.

Knows: the variables that claude reads and their order (measured with 2.1.330), and which of
claude's settings may decide for the instances, which serve other sessions too. Independent of:
disk, what an instance makes of it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openclaude.claude.launch import LaunchFacts, effective, texts, user_no_proxy

# Strongest first. Whatever the name says, claude sends all of its requests through it.
PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
NO_PROXIES = ("no_proxy", "NO_PROXY")
# Files and folders with certificates, as claude, Python, curl and AWS's programs name them
AUTHORITIES = (
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"),
)


def environment_for_instances(facts: LaunchFacts) -> dict[str, str]:
    """The user's environment, with claude's own way out in place of the shell's."""
    found = {name: authority(facts, name) for name in AUTHORITIES}
    found["HTTPS_PROXY"] = proxy(facts)
    found["NO_PROXY"] = user_no_proxy(facts)
    decided = {*PROXIES, *NO_PROXIES, *AUTHORITIES}
    kept = {name: value for name, value in facts.environment.items() if name not in decided}
    return {**kept, **{name: value for name, value in found.items() if value}}


def proxy(facts: LaunchFacts) -> str:
    """The proxy of claude's requests, as an address; "" for none."""
    found = next(filter(None, (effective(facts, name) for name in PROXIES)), "").strip()
    return found if "://" in found or not found else f"http://{found}"


def authority(facts: LaunchFacts, name: str) -> str:
    """The value of one of AUTHORITIES. A repository is not asked: it would name who reads a key."""
    return next((layer[name] for layer in owners_layers(facts) if name in layer), "")


def owners_layers(facts: LaunchFacts) -> Iterable[Mapping[str, str]]:
    """What the user or an administrator has set, strongest first."""
    for kind in ("managed", "flag", "user"):
        if kind == "flag":
            yield texts(facts.own_settings.get("env"))
        yield from (texts(one.values.get("env")) for one in facts.settings if one.kind == kind)
    yield facts.environment
