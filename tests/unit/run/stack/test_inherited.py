"""When a launch has another environment than the stack that it joins."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude.contracts.plan import Unit
from openclaude.run.stack.inherited import changed_variables, taken_over

STACKS = Path("/home/me/.local/state/openclaude/stacks")
UNIT = Unit(
    name="providers",
    application="m:app",
    environment={},
    inherit=("HOME", "PATH", "LANG", "HTTPS_PROXY", "NO_PROXY", "AWS_CONFIG_FILE", "SSL_CERT_FILE"),
    secrets={"OPENCLAUDE_SECRET_1": "env:MY_KEY", "OPENCLAUDE_SECRET_2": "command:pass x"},
)
BEFORE = {"MY_KEY": "old", "PATH": "/bin", "SSH_AUTH_SOCK": "/1", "NO_PROXY": ".corp"}


@pytest.mark.parametrize(
    ("now", "names"),
    [
        ({}, ()),
        ({"MY_KEY": "new"}, ("MY_KEY",)),
        ({"HTTPS_PROXY": "http://p", "AWS_CONFIG_FILE": "/x"}, ("AWS_CONFIG_FILE", "HTTPS_PROXY")),
        ({"HOME": "/root"}, ("HOME",)),
        ({"PATH": "/usr/bin", "LANG": "de", "SSH_AUTH_SOCK": "/2", "OTHER": "1"}, ()),
        ({"NO_PROXY": "127.0.0.1,localhost,.corp"}, ()),
        ({"NO_PROXY": ".corp,.lab"}, ("NO_PROXY",)),
        # a launch in a session of ours
        ({"SSL_CERT_FILE": f"{STACKS}/qwen/launches/7-1.pem"}, ()),
        ({"SSL_CERT_FILE": "/etc/corp.pem"}, ("SSL_CERT_FILE",)),
    ],
)
def test_what_decides_who_is_asked_or_who_pays_is_a_change(
    now: dict[str, str], names: tuple[str, ...]
) -> None:
    assert changed_variables(UNIT, BEFORE, BEFORE | now, STACKS) == names


def test_what_is_gone_is_a_change_but_for_a_key() -> None:
    before = BEFORE | {"HTTPS_PROXY": "http://office"}

    assert changed_variables(UNIT, before, {"NO_PROXY": ".corp"}, STACKS) == ("HTTPS_PROXY",)


def test_a_key_that_a_launch_does_not_have_is_kept_and_the_rest_is_as_it_is_now() -> None:
    before = BEFORE | {"HTTPS_PROXY": "http://office", "SSL_CERT_FILE": "/etc/corp.pem"}
    now = {"PATH": "/usr/bin", "MY_KEY": "", "SSL_CERT_FILE": f"{STACKS}/qwen/launches/7-1.pem"}

    assert taken_over((UNIT,), before, now, STACKS) == {
        "PATH": "/usr/bin",
        "MY_KEY": "old",
        "SSL_CERT_FILE": "/etc/corp.pem",
    }
