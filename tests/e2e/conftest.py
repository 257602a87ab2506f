"""One stack for the whole session: the stand-ins, a house between them, its proxies running.

Everything here needs a network that has nothing but loopback, the real claude, and Linux's /proc.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import need
from tests.degraded import fallbacks
from tests.e2e.house import (
    CLAUDE,
    MIXED,
    MIXED_ENV,
    OPENCLAUDE,
    THINKER_KEY,
    Canaries,
    House,
    make_canaries,
)
from tests.e2e.internet import Internet, around_claude
from tests.e2e.processes import wait_until_none
from tests.standins.openai.standin import OpenAIStandin

# credentials of other logins than the stored one; the stand-in admits them too
ENV_TOKEN = "sk-ant-oat01-" + "E" * 48

Build = Callable[[str], AbstractContextManager[House]]


@pytest.fixture(scope="session", autouse=True)
def machine() -> None:
    """Require what every test of this folder needs."""
    isolated = os.environ.get("OPENCLAUDE_TESTS_ISOLATED") == "1"
    need(isolated, "a network namespace with nothing but loopback (build/test makes one)")
    need(CLAUDE.exists(), "the pinned claude (build/setup fetches it with npm)")
    need(OPENCLAUDE.exists(), "an installed openclaude beside its Python (build/setup)")


@pytest.fixture(scope="session")
def canaries(machine: None) -> Canaries:
    """The secrets of this session."""
    return make_canaries()


@pytest.fixture(scope="session")
def anthropic_upstream(canaries: Canaries) -> Iterator[AnthropicStandin]:
    """The Anthropic stand-in, which admits the house's login."""
    admitted = frozenset({canaries.oauth, ENV_TOKEN})
    with AnthropicStandin(credentials=admitted) as standin:
        yield standin


@pytest.fixture(scope="session")
def bedrock_upstream(canaries: Canaries) -> Iterator[BedrockStandin]:
    """The Bedrock stand-in, which accepts only the house's key and region."""
    keys = {canaries.aws_id: Secret(canaries.aws_secret)}
    with BedrockStandin(credentials=keys, region="us-west-2") as standin:
        yield standin


@pytest.fixture(scope="session")
def around(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """The servers of claude's own requests."""
    with around_claude(tmp_path_factory.mktemp("around")) as internet:
        yield internet


@pytest.fixture
def anthropic(anthropic_upstream: AnthropicStandin) -> AnthropicStandin:
    """The Anthropic stand-in, without any recorded requests."""
    anthropic_upstream.clear()
    return anthropic_upstream


@pytest.fixture
def bedrock(bedrock_upstream: BedrockStandin) -> BedrockStandin:
    """The Bedrock stand-in, without any recorded requests."""
    bedrock_upstream.clear()
    return bedrock_upstream


@pytest.fixture(scope="session")
def build_house(
    canaries: Canaries,
    anthropic_upstream: AnthropicStandin,
    bedrock_upstream: BedrockStandin,
    around: Internet,
    tmp_path_factory: pytest.TempPathFactory,
) -> Build:
    """Build a further house between the same upstreams; checks that it leaves nothing behind."""

    @contextmanager
    def build(name: str) -> Iterator[House]:
        house = House(
            tmp_path_factory.mktemp(name),
            canaries,
            anthropic_url=anthropic_upstream.url,
            bedrock_url=bedrock_upstream.url,
            around=around.for_claude(),
        )
        try:
            yield house
        finally:
            house.command("stop", "--all")
            left = wait_until_none(house.root, 30.0)
            end(left)
        assert not left, f"processes of a stopped house: {left}"
        assert fallbacks(house.root) == [], "a stack could not fork, and no test has noticed"

    return build


@pytest.fixture(scope="session")
def house(build_house: Build) -> Iterator[House]:
    """The house of the session, its proxies ready."""
    with build_house("house") as built:
        started = built.command("start", "--wait")
        assert started.code == 0, f"{started}\n{built.logs()}"
        built.keys()
        yield built


@pytest.fixture(scope="session")
def thinker_upstream(machine: None) -> Iterator[OpenAIStandin]:
    """A model on an OpenAI-compatible server, which admits its key."""
    with OpenAIStandin(key=THINKER_KEY) as standin:
        yield standin


@pytest.fixture
def thinker(thinker_upstream: OpenAIStandin) -> OpenAIStandin:
    """The same, without any recorded requests."""
    thinker_upstream.clear()
    return thinker_upstream


@pytest.fixture(scope="session")
def mixed(build_house: Build, thinker_upstream: OpenAIStandin) -> Iterator[House]:
    """A house with opus and sonnet on two providers, its proxies ready."""
    with build_house("mixed") as built:
        built.write_own_profile(
            MIXED,
            f"""
[tiers.opus]
model = "openai/thinker-1"
label = "Thinker One"
api_base = "{thinker_upstream.url}/v1"
api_key = "env:THINKER_KEY"
context_window = 200000
max_output_tokens = 8000
[tiers.sonnet]
model = "bedrock/qwen.qwen3-coder-next"
label = "Qwen3 Coder Next"
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{built.bedrock_url}"
""",
        )
        started = built.command("start", "--wait", profile=MIXED, env=MIXED_ENV)
        assert started.code == 0, started
        yield built


@pytest.fixture
def empty_house(build_house: Build, request: pytest.FixtureRequest) -> Iterator[House]:
    """A house for one test, in which nothing runs yet."""
    with build_house(request.node.originalname[:24]) as built:
        yield built


def end(pids: dict[int, str]) -> None:
    """Kill what a test has left running, so that it cannot disturb others."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
