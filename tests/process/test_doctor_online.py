"""`openclaude doctor --online`: requests to AWS, with stand-ins for Bedrock and STS.

botocore, its requests and its signatures are real; so is what doctor makes of the answers.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.hooks import HierarchicalEmitter
from moto.server import ThreadedMotoServer

from openclaude.aws.endpoints import EndpointUnusable, with_key
from openclaude.standins.base.exchange import Reply
from openclaude.standins.bedrock.reply import error_reply
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import API_KEY, BedrockRecorded, BedrockStandin
from tests.process.test_profiles_authoring import talk
from tests.process.world import World

KEY, SECRET = "AKIATESTTESTTESTTEST", "hunter2-hunter2-hunter2-hunter2-hunter22"
BEARER = "ABSKhunter2-hunter2-of-bedrock-hunter2"
MODEL = "qwen.qwen3-next-80b-a3b"
ON_DEMAND = (
    "Invocation of model ID {} with on-demand throughput isn\u2019t supported. Retry your request "
    "with the ID or ARN of an inference profile that contains this model."
)
NOT_ALLOWED = "User: arn:aws:iam::1:user/me is not authorized to perform: bedrock:InvokeModel"
# what Bedrock answers -> the diagnostic
ANSWERS = [
    (
        (403, NOT_ALLOWED, "AccessDeniedException"),
        ("bedrock-not-allowed", "error", "`openclaude aws policy --profile qwen`"),
    ),
    (
        (403, NOT_ALLOWED, "AccessDeniedException"),
        (
            "bedrock-not-allowed",
            "error",
            f'"Resource": ["arn:aws:bedrock:us-west-2::foundation-model/{MODEL}"]',
        ),
    ),
    (
        (403, "You don't have access to the model with the specified model ID.", "AccessDenied"),
        ("bedrock-no-access", "error", "Amazon Bedrock console"),
    ),
    (
        (400, ON_DEMAND.format(MODEL), "ValidationException"),
        ("bedrock-inference-profile", "error", f"`openclaude models {MODEL}`"),
    ),
    (
        (400, "The provided model identifier is invalid.", "ValidationException"),
        ("bedrock-unknown-model", "error", "choose another model or region"),
    ),
    (
        (403, "Signature expired: 20200101T000000Z is now earlier", "InvalidSignatureException"),
        ("aws-clock", "error", "correct the clock"),
    ),
    (
        (403, "The security token included in the request is expired", "ExpiredTokenException"),
        ("aws-credentials-expired", "error", "`aws sso login --profile openclaude`"),
    ),
    (
        (429, "Too many tokens, please wait before trying again.", "ThrottlingException"),
        ("bedrock-throttled", "warning", "ask AWS for a higher quota"),
    ),
    (
        (500, "Oops", "InternalServerException"),
        ("aws-error", "warning", "see AWS's error message"),
    ),
]

Refuse = Callable[[tuple[int, str, str]], None]


class Clouds:
    """Bedrock, whose answers can be set, and STS."""

    def __init__(self, bedrock: BedrockStandin, sts: str) -> None:
        self.bedrock = bedrock
        self.sts = sts
        self.refusal: tuple[int, str, str] | None = None


@pytest.fixture(scope="module")
def sts() -> Iterator[str]:
    """moto's STS on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def clouds(sts: str) -> Iterator[Clouds]:
    """Both, on loopback."""
    found: list[Clouds] = []

    def answer(_request: BedrockRecorded) -> Reply | None:
        if found[0].refusal is None:
            return None
        status, message, kind = found[0].refusal
        return error_reply(status, message, kind=kind)

    keys = {KEY: Secret(SECRET)}
    bearers = frozenset({BEARER})
    with BedrockStandin(credentials=keys, api_keys=bearers, answer=answer) as bedrock:
        found.append(Clouds(bedrock, sts))
        yield found[0]


@pytest.fixture
def house(empty_world: World, clouds: Clouds, port: int) -> World:
    """A world whose profile and AWS profile point to the stand-ins."""
    world = empty_world
    write_keys(world, clouds, SECRET)
    write_profile(world, clouds, port, f'haiku = "bedrock/{MODEL}"')
    return world


def write_keys(world: World, clouds: Clouds, secret: str) -> None:
    (world.home / ".aws" / "config").write_text(
        f"[profile openclaude]\naws_access_key_id = {KEY}\naws_secret_access_key = {secret}\n"
        f"services = local\n[services local]\nsts =\n  endpoint_url = {clouds.sts}\n"
    )


def write_profile(world: World, clouds: Clouds, port: int, tiers: str) -> None:
    world.write_profile(
        "qwen",
        f'schema = 1\nextends = "base"\n[tiers]\n{tiers}\n[listen]\nport = {port}\n[aws]\n'
        f'profile = "openclaude"\nregion = "us-west-2"\nendpoint_url = "{clouds.bedrock.url}"\n',
    )


def ask(world: World, **env: str) -> list[dict[str, Any]]:
    """Return the diagnostics about AWS's answers, which come last."""
    done = world.run("doctor", "--online", "--yes", "--json", env={**world.env, **env})
    assert done.err == ""
    assert "hunter2" not in done.out
    found: list[dict[str, Any]] = json.loads(done.out)["data"]["diagnostics"]
    codes = [row["code"] for row in found]
    last = max(position for position, code in enumerate(codes) if code in LAST)
    beside = ("way-out", *REGIONS)
    return [row for row in found[last + 1 :] if not row["code"].startswith(beside)]


def asked_of(clouds: Clouds) -> list[BedrockRecorded]:
    """Return the questions to models, without the look whether there is a way."""
    return [request for request in clouds.bedrock.requests if request.method == "POST"]


# what Bedrock's control plane is asked, which these tests have only where they name it
LISTED = ("ListFoundationModels", "ListInferenceProfiles")
REGIONS = ("bedrock-served", "bedrock-not-served", "bedrock-not-enabled", "bedrock-regions-unknown")
LAST = (
    "disk",
    "folder-exposed",
    "folder-unusable",
    "readable-by-others",
    "profile-writable-by-others",
)


def test_aws_says_who_we_are_and_each_model_is_asked_once(house: World, clouds: Clouds) -> None:
    identity, model = ask(house)

    assert (identity["severity"], model["severity"]) == ("ok", "ok")
    assert identity["message"].startswith("you are known to AWS as arn:aws:")
    assert model["message"] == f"`{MODEL}` answers in us-west-2"
    (request,) = asked_of(clouds)
    assert request.json()["inferenceConfig"] == {"maxTokens": 1}
    assert request.signed_by == KEY


@pytest.mark.parametrize(("said", "expected"), ANSWERS, ids=[row[1][0] for row in ANSWERS])
def test_what_bedrock_refuses_is_explained_with_its_fix(
    house: World,
    clouds: Clouds,
    said: tuple[int, str, str],
    expected: tuple[str, str, str],
) -> None:
    clouds.refusal = said
    code, severity, fix = expected

    _, found = ask(house)

    assert (found["code"], found["severity"]) == (code, severity)
    assert fix in found["fix"]
    assert len(asked_of(clouds)) == 1


def test_an_inference_profile_is_named_where_the_map_knows_one(
    house: World, clouds: Clouds, port: int
) -> None:
    write_profile(house, clouds, port, 'haiku = "bedrock/deepseek.v3.2"')
    clouds.refusal = (400, ON_DEMAND.format("deepseek.v3.2"), "ValidationException")

    _, found = ask(house)

    assert found["fix"] == "in us-west-2, use `bedrock/us.deepseek.v3.2`"


def test_a_wrong_secret_is_told_once(house: World, clouds: Clouds, port: int) -> None:
    write_keys(house, clouds, "not-the-secret-not-the-secret-not-secret")
    write_profile(
        house, clouds, port, f'haiku = "bedrock/{MODEL}"\nsonnet = "bedrock/deepseek.v3.2"'
    )

    found = [row for row in ask(house) if row["severity"] == "error"]  # moto accepts any key

    assert [row["code"] for row in found] == ["aws-key-refused"]
    assert found[0]["fix"] == "run `openclaude aws setup --name openclaude`"


def test_a_bearer_token_of_the_shell_does_not_take_over(house: World, clouds: Clouds) -> None:
    _, model = ask(house, AWS_BEARER_TOKEN_BEDROCK="hunter2", AWS_PROFILE="another")

    assert model["severity"] == "ok"
    assert asked_of(clouds)[0].signed_by == KEY


def test_nobody_at_the_endpoint_is_no_fault_of_the_key(
    house: World, clouds: Clouds, port: int
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    path = house.profiles / "qwen.toml"
    path.write_text(path.read_text().replace(clouds.bedrock.url, url))

    found = ask(house)[-1]

    assert (found["code"], found["severity"]) == ("aws-unreachable", "warning")


def test_a_missing_profile_is_told_once_and_nothing_crashes(house: World, clouds: Clouds) -> None:
    (house.home / ".aws" / "config").write_text("")

    found = ask(house)

    assert [row["code"] for row in found] == ["aws-profile-missing"]
    assert asked_of(clouds) == []


def test_the_regions_are_asked_at_the_address_that_the_aws_profile_names(
    house: World, clouds: Clouds, port: int
) -> None:
    path = house.home / ".aws" / "config"
    path.write_text(f"{path.read_text()}bedrock =\n  endpoint_url = {clouds.bedrock.url}\n")

    done = house.run("doctor", "--online", "--yes", "--json", env=house.env)

    rows = json.loads(done.out)["data"]["diagnostics"]
    (served,) = [row for row in rows if row["code"].startswith(REGIONS)]
    assert (served["code"], served["severity"]) == ("bedrock-served", "ok")
    assert served["message"].startswith(f"us-west-2 serves `{MODEL}` (AWS said so in ")
    asked = [one for one in clouds.bedrock.requests if one.operation.startswith(("List", "Get"))]
    assert [one.signed_by for one in asked] == [KEY] * 3
    assert SECRET not in done.out


def with_api_key(house: World, clouds: Clouds, port: int, *, more: str = "") -> None:
    """Give the house a Bedrock API key, and no AWS profile; the variable of AWS's tools says where.

    `more` is of the profile, which asks what is behind its own `endpoint_url` and nobody else.
    """
    (house.home / ".aws" / "config").unlink()
    house.write_profile(
        "qwen",
        f'schema = 1\nextends = "base"\n[tiers]\nhaiku = "bedrock/{MODEL}"\n[listen]\n'
        f'port = {port}\n[aws]\napi_key = "env:MY_BEDROCK_KEY"\nregion = "us-west-2"\n{more}',
    )


def test_with_a_bedrock_api_key_models_and_regions_are_asked_with_it_alone(
    house: World, clouds: Clouds, port: int
) -> None:
    with_api_key(house, clouds, port)
    key = {"MY_BEDROCK_KEY": BEARER, "AWS_BEARER_TOKEN_BEDROCK": "hunter2-of-the-shell"}

    (model,) = ask(house, **key, **addresses(clouds))

    assert (model["code"], model["severity"]) == ("bedrock", "ok"), model
    assert model["message"] == f"`{MODEL}` answers in us-west-2"
    assert {one.operation for one in clouds.bedrock.requests} >= {"Converse", *LISTED}
    by = {one.signed_by for one in clouds.bedrock.requests if one.operation}
    assert by == {API_KEY}


def test_a_bedrock_api_key_that_is_refused_or_missing_is_said_by_where_it_is(
    house: World, clouds: Clouds, port: int
) -> None:
    with_api_key(house, clouds, port)

    refused = ask(house, MY_BEDROCK_KEY="hunter2-another-key", **addresses(clouds))
    missing = ask(house)

    assert [row["code"] for row in refused] == ["bedrock-key-refused"]
    assert refused[0]["message"] == "Bedrock refuses the API key from `env:MY_BEDROCK_KEY`"
    assert "`openclaude aws setup qwen --method api-key`" in refused[0]["fix"]
    assert [row["code"] for row in missing] == ["bedrock-key-missing"]
    assert "MY_BEDROCK_KEY" in missing[0]["message"]


def addresses(clouds: Clouds) -> dict[str, str]:
    """The variables by which AWS's own tools would ask the stand-in."""
    names = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL_BEDROCK")
    return dict.fromkeys(names, clouds.bedrock.url)


def test_the_key_of_a_gateway_is_no_other_addresss_to_hear(
    house: World, clouds: Clouds, port: int
) -> None:
    gateway = f'endpoint_url = "{clouds.bedrock.url}"\n'
    with_api_key(house, clouds, port, more=gateway)

    (model,) = ask(house, MY_BEDROCK_KEY=BEARER, AWS_ENDPOINT_URL_BEDROCK=clouds.bedrock.url)

    assert (model["code"], model["severity"]) == ("bedrock", "ok"), model
    assert {one.operation for one in clouds.bedrock.requests if one.operation} == {"Converse"}


@pytest.mark.parametrize(("url", "is_sent"), [("http://10.0.0.1/", False), ("https://x/", True)])
def test_a_bedrock_api_key_is_sent_over_nothing_that_can_be_read(url: str, is_sent: bool) -> None:
    events = HierarchicalEmitter()
    client = SimpleNamespace(meta=SimpleNamespace(events=events))
    request = SimpleNamespace(url=url, headers={})

    with_key(client, BEARER)
    with contextlib.suppress(EndpointUnusable):
        events.emit("before-send.bedrock.ListFoundationModels", request=request)

    assert bool(request.headers) is is_sent


def test_models_of_other_providers_are_said_not_to_be_asked(
    house: World, clouds: Clouds, port: int
) -> None:
    write_profile(house, clouds, port, 'haiku = "gemini/gemini-3.8-flash"')

    (found,) = ask(house, GEMINI_API_KEY="x")

    assert (found["code"], found["severity"]) == ("not-asked", "note")
    assert "gemini/gemini-3.8-flash" in found["message"]


def test_nobody_is_asked_without_a_word_about_the_cost(house: World, clouds: Clouds) -> None:
    done = house.run("doctor", "--online")

    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "error: this asks AWS who you are, what its regions serve, and 1 Bedrock model for one "
        "token each, which costs less than a cent and needs confirmation, but there is no "
        "terminal\n\n"
        "hint: confirm with `--yes`\n"
    )
    assert asked_of(clouds) == []


@pytest.mark.parametrize(("answer", "asked"), [("yes", 1), ("no", 0)])
def test_on_a_terminal_the_cost_is_said_and_a_word_is_waited_for(
    house: World, clouds: Clouds, answer: str, asked: int
) -> None:
    with talk(house, "doctor", "--online") as one:
        one.wait_for("it costs less than a US cent.")
        one.wait_for("(yes or no) [no]: ")
        one.type(f"{answer}\n")
        status, _ = one.finish()

    assert status == 0
    assert len(asked_of(clouds)) == asked
