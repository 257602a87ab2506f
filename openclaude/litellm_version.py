"""The one version of LiteLLM that openclaude is built and tested for.

Knows: which versions are accepted, how the installed one is found. Must not import LiteLLM.
"""

from __future__ import annotations

from openclaude.errors import OpenclaudeError

# written by build/lock, from the pin in pyproject.toml
LITELLM_VERSION = "1.108.14"
# Compromised on 2026-03-24 with a credential stealer (OSV MAL-2026-2144).
MALICIOUS_LITELLM = frozenset({"1.82.7", "1.82.8"})


class WrongLitellm(OpenclaudeError):
    """An installed LiteLLM that openclaude was not built for."""

    code = "litellm-version"


class MaliciousLitellm(WrongLitellm):
    """An installed LiteLLM that steals credentials."""

    code = "litellm-malicious"


def require_litellm() -> str:
    """The installed LiteLLM's version. Raises WrongLitellm."""
    found = installed_litellm()
    refuse_litellm(found)
    return found


def installed_litellm() -> str:
    """The installed LiteLLM's version, without importing it; "none" where there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("litellm")
    except PackageNotFoundError:
        return "none"


def refuse_litellm(found: str) -> None:
    """Raise WrongLitellm unless `found` is the version openclaude is built and tested for."""
    reinstall = f"install it again with its own lock, which pins litellm=={LITELLM_VERSION}"
    if found in MALICIOUS_LITELLM:
        raise MaliciousLitellm(
            f"LiteLLM {found} is malicious: it steals credentials (OSV MAL-2026-2144)",
            hint=f"remove it, replace every key that is on this machine, then {reinstall}",
        )
    if found != LITELLM_VERSION:
        raise WrongLitellm(
            f"openclaude needs LiteLLM {LITELLM_VERSION} but found {found}", hint=reinstall
        )
