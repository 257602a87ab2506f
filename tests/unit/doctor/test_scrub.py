"""What leaves this machine in a report says neither who its user is nor what was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude.doctor.scrub import Scrubber, log_facts

HOME = Path("/home/canaryuser")
ENV = {
    "HOME": str(HOME),
    "OPENAI_API_KEY": "plain-canary-one",
    "MY_TOKEN": "plain canary two",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Team: canary-team-secret\nX-Other: canary-other",
    "EDITOR": "vi",
}


@pytest.fixture
def scrub() -> Scrubber:
    return Scrubber(ENV, HOME, {"canaryuser", "Canary Person", "ab"}, {"canaryhost"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{HOME}/work/x.py", "~/work/x.py"),
        ("/home/canaryusers/x", "/home/(user)/x"),
        ("/Users/another/x", "/Users/(user)/x"),
        ("CanaryUser said", "(user) said"),
        ("by Canary Person, here", "by (user), here"),
        ("an absolute cab", "an absolute cab"),  # a name of two letters is none
        ("mail me.too+x@example.co.uk now", "mail (e-mail) now"),
        ("arn:aws:iam::123456789012:role/x", "arn:aws:iam::(account):role/x"),
        ("on canaryhost:4000", "on (host):4000"),
        ("key plain-canary-one", "key (removed)"),
        ("plain canary two!", "(removed)!"),
        ("canary-team-secret and canary-other", "(removed) and (removed)"),
        ("sk-ant-oat01-CANARYcanary0123", "(removed)"),
        ("vi is the editor", "vi is the editor"),
    ],
)
def test_a_person_and_a_credential_are_taken_out(scrub: Scrubber, text: str, shown: str) -> None:
    assert scrub(text) == shown


def test_a_home_that_is_the_root_changes_nothing() -> None:
    assert Scrubber({}, Path("/"), {"root"}, {"localhost"})("/etc root") == "/etc root"


def test_a_log_is_told_without_any_text_of_a_request() -> None:
    stamp = "2026-11-30T10:00:00.000Z"
    lines = [
        f"{stamp} ERROR LiteLLM-Proxy: failed - litellm.BadRequestError: prompt CANARY is bad",
        "    | Traceback: CANARY",
        '    |   File "/x/litellm/router.py", line 7, in call',
        "    |     answer('CANARY')",
        f"{stamp} OUTPUT CANARY words",
        f"{stamp} WARNING openclaude.requests: haiku `a` failed: 429 after 7 ms",
        "CANARY without a stamp",
    ]

    assert list(log_facts(lines)) == [
        f"{stamp} ERROR LiteLLM-Proxy: litellm.BadRequestError",
        '    | File "/x/litellm/router.py", line 7, in call',
        f"{stamp} OUTPUT (text not shown)",
        f"{stamp} WARNING openclaude.requests: haiku `a` failed: 429 after 7 ms",
    ]
    assert list(log_facts([f"{stamp} INFO start main"], is_supervisors=True)) == [
        f"{stamp} INFO start main"
    ]
