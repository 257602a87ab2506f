"""The way out that claude takes is the one that the instances get."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.claude.launch import LaunchFacts, SettingsFile
from openclaude.claude.network import environment_for_instances


def seen(
    env: dict[str, str], own: dict[str, Any] | None = None, **files: dict[str, Any]
) -> dict[str, str]:
    """Return what the instances get of a shell, `--settings` and settings files by kind."""
    settings = tuple(
        SettingsFile(path=kind, kind=kind, values={"env": files[kind]})
        for kind in ("managed", "local", "project", "user")
        if kind in files
    )
    own_settings = {"env": own} if own else {}
    facts = LaunchFacts("claude", (), own_settings, "", env, settings)
    return environment_for_instances(facts)


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({"HTTP_PROXY": "http://p"}, "http://p"),
        ({"all_proxy": "p:3128"}, "http://p:3128"),
        ({"HTTP_PROXY": "http://h", "HTTPS_PROXY": "http://s"}, "http://s"),
        ({"HTTPS_PROXY": "http://s", "https_proxy": "http://l"}, "http://l"),
        ({"HTTPS_PROXY": "http://s", "https_proxy": ""}, "http://s"),
        ({"http_proxy": "http://l", "HTTP_PROXY": "http://h"}, "http://l"),
        ({"ALL_PROXY": "http://a", "HTTP_PROXY": "http://h"}, "http://h"),
    ],
)
def test_the_proxy_is_the_one_that_claude_takes(env: dict[str, str], proxy: str) -> None:
    assert seen(env | {"X": "1"}) == {"X": "1", "HTTPS_PROXY": proxy}


def test_each_variable_is_the_strongest_layers() -> None:
    shell = {"HTTPS_PROXY": "http://shell", "NO_PROXY": ".shell", "https_proxy": "http://lower"}

    found = seen(
        shell,
        {"HTTPS_PROXY": "http://flag"},
        managed={"NO_PROXY": ".managed"},
        user={"HTTPS_PROXY": "http://user", "https_proxy": "", "NO_PROXY": ".user"},
    )

    assert found == {"HTTPS_PROXY": "http://flag", "NO_PROXY": ".managed"}


def test_authorities_are_the_owners_and_no_repositorys() -> None:
    found = seen(
        {"SSL_CERT_FILE": "/shell.pem", "NODE_EXTRA_CA_CERTS": "/shell-extra.pem"},
        local={"NODE_EXTRA_CA_CERTS": "/evil.pem", "SSL_CERT_DIR": "/evil"},
        project={"NODE_EXTRA_CA_CERTS": "/evil.pem", "AWS_CA_BUNDLE": "/evil.pem"},
        user={"NODE_EXTRA_CA_CERTS": "/user.pem"},
    )

    assert found == {"SSL_CERT_FILE": "/shell.pem", "NODE_EXTRA_CA_CERTS": "/user.pem"}
