"""The policy of a profile, verified by evaluating it: this model yes, the next one no."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest
import yaml
from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from openclaude.aws.policy.formats import FORMATS, render
from openclaude.aws.policy.policy import GEOGRAPHIES, Target, build_policy, partition
from openclaude.cli import main
from openclaude.models.catalog import Catalog
from openclaude.providers.bedrock import PREFIXED, split_prefix
from tests.conftest import REPOSITORY
from tests.unit.aws.iam import COUNT, COUNT_AT_MANTLE, INVOKE, STREAM, Check, is_allowed

SHIPPED = REPOSITORY / "profiles"
ON_BEDROCK = sorted(path.stem for path in SHIPPED.glob("*.toml") if "bedrock/" in path.read_text())
ACCOUNT = "123456789012"
QWEN = "qwen.qwen3-next-80b-a3b"
# a region that is asked, and one that may answer in its place; from AWS's list
ANSWERS = {
    "us": ("us-west-2", "us-east-1"),
    "us-gov": ("us-gov-west-1", "us-gov-east-1"),
    "eu": ("eu-west-1", "eu-central-1"),
    "apac": ("ap-southeast-1", "ap-northeast-2"),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "in": ("ap-south-1", "ap-south-2"),
    "global": ("eu-west-1", ""),
    "": ("us-west-2", "us-west-2"),
}


def checks(model_id: str, region: str, answers: str, account: str = ACCOUNT) -> Iterator[Check]:
    """Return AWS's checks, by its documentation, when `model_id` is asked and a region answers."""
    prefix, bare = split_prefix(model_id)
    profile = ""
    own = f"arn:{partition(region)}:bedrock:{region}"
    if prefix:
        profile = f"{own}:{account}:inference-profile/{model_id}"
        yield from (Check(action, profile) for action in (INVOKE, STREAM))
    for place in dict.fromkeys((region, answers)):
        resource = f"arn:{partition(region)}:bedrock:{place}::foundation-model/{bare}"
        yield from (Check(action, resource, profile) for action in (INVOKE, STREAM))


def target(model_id: str) -> tuple[Target, str]:
    """Return a model and a region in which its prefix is available."""
    asks, answers = ANSWERS[split_prefix(model_id)[0]]
    return Target(model_id, asks), answers


def every_check(model_id: str) -> list[Check]:
    one, answers = target(model_id)
    return list(checks(one.model_id, one.region, answers))


IDS = [model.id for model in Catalog.bundled().models("bedrock")]


@pytest.mark.slow
@pytest.mark.parametrize("account", ["*", ACCOUNT])
def test_every_model_of_the_map_is_allowed_by_its_own_policy(account: str) -> None:
    for model_id in IDS:
        policy = build_policy([target(model_id)[0]], account)
        refused = [check for check in every_check(model_id) if not is_allowed(policy, check)]
        assert refused == [], model_id


@pytest.mark.slow
def test_and_by_no_policy_of_the_model_before_it_or_behind_it() -> None:
    for one, other in itertools.chain(itertools.pairwise(IDS), itertools.pairwise(IDS[::-1])):
        policy = build_policy([target(one)[0]])
        allowed = [check for check in every_check(other) if is_allowed(policy, check)]
        assert allowed == [], (one, other)


def command(*arguments: str) -> list[str]:
    return ["aws", "policy", *arguments]


@pytest.fixture
def policy_of(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Return what `openclaude aws policy` prints."""

    def ask(*arguments: str) -> dict[str, Any]:
        status = main(command(*arguments))
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        return dict(json.loads(printed.out))

    return ask


@pytest.mark.parametrize("name", ON_BEDROCK)
def test_each_shipped_profile_has_its_golden_policy(
    name: str, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    assert main(command("--profile", name)) == 0

    golden(f"{name}.policy.json", capsys.readouterr().out)


@pytest.mark.parametrize("name", ON_BEDROCK)
def test_a_shipped_profile_may_ask_its_own_models_and_no_other(
    name: str, policy_of: Callable[..., dict[str, Any]]
) -> None:
    text = (SHIPPED / f"{name}.toml").read_text()
    own = {model_id for model_id in IDS if f'"bedrock/{model_id}"' in text}
    policy = policy_of("--profile", name, "--account", ACCOUNT)

    assert own
    for model_id in IDS:
        is_answered = all(is_allowed(policy, check) for check in every_check(model_id))
        assert is_answered == (model_id in own), model_id


def test_the_identity_of_a_bedrock_api_key_may_use_it_and_nothing_more() -> None:
    target = Target(QWEN, "us-west-2")
    plain, with_key = build_policy([target]), build_policy([target], with_api_key=True)

    *same, last = with_key["Statement"]
    assert same == plain["Statement"]
    assert (last["Action"], last["Resource"]) == (["bedrock:CallWithBearerToken"], ["*"])


def count_checks(model_id: str, region: str, account: str = ACCOUNT) -> list[Check]:
    """Return AWS's checks, by its documentation, when the tokens of a model are counted."""
    own = f"arn:{partition(region)}"
    bare = split_prefix(model_id)[1]
    return [
        Check(COUNT, f"{own}:bedrock:{region}::foundation-model/{bare}"),
        Check(COUNT_AT_MANTLE, f"{own}:bedrock-mantle:{region}:{account}:project/default"),
    ]


OPUS = "us.anthropic.claude-opus-5-5"
OPUS_ARN = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{OPUS}"
APPLICATION = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/claude"


@pytest.mark.parametrize(
    ("model_id", "region", "asked", "may"),
    [
        (OPUS, "us-west-2", OPUS, True),
        ("anthropic.claude-opus-5-5", "us-west-2", OPUS, True),
        ("us-gov.anthropic.claude-opus-5-5", "us-gov-west-1", OPUS, True),
        (OPUS_ARN, "us-east-1", OPUS, True),
        (OPUS, "us-west-2", "anthropic.claude-sonnet-5-5", False),
        (QWEN, "us-west-2", QWEN, False),
        (APPLICATION, "us-east-1", OPUS, False),
    ],
)
@pytest.mark.parametrize("account", ["*", ACCOUNT])
def test_a_claudes_tokens_may_be_counted_and_no_others(
    model_id: str, region: str, asked: str, may: bool, account: str
) -> None:
    policy = build_policy([Target(model_id, region)], account)

    model, project = (is_allowed(policy, check) for check in count_checks(asked, region))

    assert model is may
    assert project is (may or "anthropic" in model_id)
    assert not any(is_allowed(policy, check) for check in count_checks(asked, "eu-central-1"))
    without = build_policy([Target(model_id, region)], account, with_counts=False)
    assert not any(is_allowed(without, check) for check in count_checks(asked, region))


def test_a_bedrock_api_keys_identity_may_use_it_where_claudes_tokens_are_counted() -> None:
    policy = build_policy([Target(OPUS, "us-west-2")], with_api_key=True)

    wanted = ["bedrock:CallWithBearerToken", "bedrock-mantle:CallWithBearerToken"]
    assert policy["Statement"][-1]["Action"] == wanted


def test_tiers_fallbacks_the_plans_limit_and_the_classifier_are_all_in_it(
    policy_of: Callable[..., dict[str, Any]], write_profile: Callable[[str], None]
) -> None:
    write_profile(
        'extends = "qwen"\n[tiers.sonnet]\nmodel = "bedrock/eu.amazon.nova-2-lite-v1:0"\n'
        'region = "eu-west-1"\n'
        'fallbacks = ["bedrock/openai.gpt-oss-120b-1:0", "bedrock/us-east-2/zai.glm-5"]\n'
        '[anthropic]\non_limit = "bedrock/deepseek.v3.2"\n'
        '[auto_mode]\nclassifier = "bedrock/openai.gpt-oss-20b-1:0"\n'
    )
    needed = [
        *checks(QWEN, "us-west-2", "us-west-2"),
        *checks("eu.amazon.nova-2-lite-v1:0", "eu-west-1", "eu-central-1"),
        *checks("openai.gpt-oss-120b-1:0", "eu-west-1", "eu-west-1"),
        *checks("zai.glm-5", "us-east-2", "us-east-2"),
        *checks("deepseek.v3.2", "us-west-2", "us-west-2"),
        *checks("openai.gpt-oss-20b-1:0", "us-west-2", "us-west-2"),
    ]
    elsewhere = [
        *checks(QWEN, "eu-west-1", "eu-west-1"),
        *checks("zai.glm-5", "us-west-2", "us-west-2"),
        *checks("zai.glm-5", "eu-west-1", "eu-west-1"),
    ]

    policy = policy_of("--profile", "mine")

    assert [check for check in needed if not is_allowed(policy, check)] == []
    assert [check for check in elsewhere if is_allowed(policy, check)] == []


@pytest.fixture
def write_profile(tmp_path: Path) -> Callable[[str], None]:
    """Write a profile of the user's, called `mine`."""

    def write(text: str) -> None:
        folder = tmp_path / "xdg_config_home" / "openclaude" / "profiles"
        folder.mkdir(parents=True)
        (folder / "mine.toml").write_text(f"schema = 1\n{text}")

    return write


def test_overrides_of_the_environment_hold_for_the_policy_too(
    policy_of: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCLAUDE_AWS_REGION", "eu-west-2")

    policy = policy_of("--profile", "qwen")

    assert all(is_allowed(policy, one) for one in checks(QWEN, "eu-west-2", "eu-west-2"))
    assert not any(is_allowed(policy, one) for one in checks(QWEN, "us-west-2", "us-west-2"))


NOVA = Target("us.amazon.nova-2-lite-v1:0", "us-west-2")
NOVA_ARN = f"arn:aws:bedrock:us-west-2:{ACCOUNT}:inference-profile/{NOVA.model_id}"
NOVA_MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0"


@pytest.mark.parametrize(
    ("resource", "through"),
    [
        (NOVA_MODEL, ""),  # directly
        (NOVA_MODEL, NOVA_ARN.replace("us.amazon", "global.amazon")),
        (NOVA_MODEL, NOVA_ARN.replace("us-west-2", "us-east-1")),  # requested in another region
        (NOVA_MODEL, NOVA_ARN.replace(ACCOUNT, "210987654321")),
        (NOVA_MODEL.replace("us-east-1", "eu-west-1"), NOVA_ARN),
        (NOVA_MODEL.replace("2-lite", "2-pro"), NOVA_ARN),
        (NOVA_ARN.replace(ACCOUNT, "210987654321"), ""),
    ],
)
def test_a_model_behind_an_inference_profile_is_reached_through_it_only(
    resource: str, through: str
) -> None:
    policy = build_policy([NOVA], ACCOUNT)

    assert is_allowed(policy, Check(INVOKE, NOVA_MODEL, NOVA_ARN))
    assert not is_allowed(policy, Check(INVOKE, resource, through))


@pytest.mark.parametrize(
    "action",
    [
        "bedrock:ListFoundationModels",
        "bedrock:GetFoundationModel",
        "bedrock:InvokeModelWithBidirectionalStream",
        "bedrock:CreateModelInvocationJob",
        "bedrock:ApplyGuardrail",
        "iam:PassRole",
    ],
)
def test_nothing_but_asking_is_allowed(action: str) -> None:
    policy = build_policy([NOVA, Target(QWEN, "us-west-2")])

    for resource in (NOVA_ARN, NOVA_MODEL, f"arn:aws:bedrock:us-west-2::foundation-model/{QWEN}"):
        assert not is_allowed(policy, Check(action, resource, NOVA_ARN))


@pytest.mark.parametrize(
    ("arn", "behind", "beside"),
    [
        (NOVA_ARN, NOVA_MODEL, NOVA_MODEL.replace("lite", "pro")),
        (
            f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:application-inference-profile/abc123",
            "arn:aws:bedrock:eu-north-1::foundation-model/anthropic.claude-haiku-5-5",
            "",
        ),
        (f"arn:aws:bedrock:us-west-2::foundation-model/{QWEN}", "", NOVA_MODEL),
        (f"arn:aws:bedrock:us-west-2:{ACCOUNT}:provisioned-model/abc123", "", NOVA_MODEL),
        (f"arn:aws:bedrock:us-west-2:{ACCOUNT}:imported-model/abc123", "", NOVA_MODEL),
    ],
)
def test_an_arn_is_allowed_as_it_is_with_what_is_behind_it(
    arn: str, behind: str, beside: str
) -> None:
    policy = build_policy([Target(arn, "us-west-2")])

    assert is_allowed(policy, Check(STREAM, arn))
    if behind:
        assert is_allowed(policy, Check(STREAM, behind, arn))
        assert not is_allowed(policy, Check(STREAM, behind))
        assert not is_allowed(policy, Check(STREAM, behind, f"{arn}x"))
    if beside:
        assert not is_allowed(policy, Check(STREAM, beside, arn))


def test_what_litellm_asks_in_place_of_the_model_is_what_the_policy_names(
    policy_of: Callable[..., dict[str, Any]], write_profile: Callable[[str], None]
) -> None:
    arn = f"arn:aws:bedrock:us-west-2:{ACCOUNT}:application-inference-profile/abc123"
    write_profile(
        f'extends = "qwen"\n[tiers.haiku]\nmodel = "bedrock/{QWEN}"\nparams.model_id = "{arn}"\n'
        'params.guardrailConfig = { guardrailIdentifier = "gr1", guardrailVersion = "1" }\n'
    )

    policy = policy_of("--profile", "mine", "--account", ACCOUNT)

    guardrail = f"arn:aws:bedrock:us-west-2:{ACCOUNT}:guardrail/gr1"
    assert is_allowed(policy, Check(INVOKE, arn))
    assert not any(is_allowed(policy, one) for one in checks(QWEN, "us-west-2", "us-west-2"))
    assert is_allowed(policy, Check("bedrock:ApplyGuardrail", guardrail))
    assert not is_allowed(policy, Check(INVOKE, guardrail))


def test_a_region_outside_its_geography_is_still_allowed_to_answer_itself() -> None:
    """AWS offers `eu.` and `us.` profiles also in a few regions outside Europe and the US."""
    policy = build_policy([Target("eu.amazon.nova-2-lite-v1:0", "il-central-1")])

    needed = checks("eu.amazon.nova-2-lite-v1:0", "il-central-1", "eu-north-1")
    assert [check for check in needed if not is_allowed(policy, check)] == []


def test_every_prefix_has_its_regions() -> None:
    prefixes = PREFIXED.pattern[1:].partition(")")[0].split("|")

    assert sorted(GEOGRAPHIES) == sorted(prefixes)


def test_every_region_of_botocore_is_in_its_partition() -> None:
    path = Path(botocore.__file__).parent / "data" / "partitions.json"
    found = {
        region: one["id"]
        for one in json.loads(path.read_bytes())["partitions"]
        for region in one["regions"]
        if not region.endswith("-global")
    }

    assert len(found) > 40
    assert {region: partition(region) for region in found} == found


def test_moto_reads_actions_and_resources_as_we_do() -> None:
    """Its engine has no StringLike: conditions are tested with the simulator."""
    (statement,) = build_policy([target(QWEN)[0], target("zai.glm-5")[0]])["Statement"]

    for model_id in (model_id for model_id in IDS if not split_prefix(model_id)[0]):
        for check in every_check(model_id):
            said = IAMPolicyStatement(statement).is_action_permitted(check.action, check.resource)
            is_permitted = said is PermissionResult.PERMITTED
            assert is_permitted == (model_id in {QWEN, "zai.glm-5"}), model_id


# --- forms


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return exit status, stdout and stderr."""

    def show(*arguments: str) -> tuple[int, str, str]:
        status = main(command(*arguments))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return show


def inside_terraform(text: str) -> Any:
    """Return the document in the call of `jsonencode`."""
    return json.loads(text.partition("jsonencode(")[2].rpartition(")")[0])


def inside_cloudformation(text: str, account: str) -> Any:
    """Return the document with `Fn::Sub` evaluated."""

    def done(value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
            return value["Fn::Sub"].replace("${AWS::AccountId}", account)
        if isinstance(value, dict):
            return {key: done(one) for key, one in value.items()}
        return [done(one) for one in value] if isinstance(value, list) else value

    resource = yaml.safe_load(text)["Resources"]["OpenclaudePolicy"]
    assert resource["Type"] == "AWS::IAM::ManagedPolicy"
    return done(resource["Properties"]["PolicyDocument"])


@pytest.mark.parametrize("name", ["bedrock", "gpt-oss"])
def test_all_forms_hold_the_same_policy(
    name: str, shown: Callable[..., tuple[int, str, str]]
) -> None:
    texts = {
        form: shown("--profile", name, "--format", form, "--account", ACCOUNT)[1]
        for form in FORMATS
    }

    policy = json.loads(texts["json"])
    assert inside_terraform(texts["terraform"]) == policy
    assert inside_cloudformation(texts["cloudformation"], ACCOUNT) == policy


def test_terraform_and_cloudformation_name_the_account_by_themselves(
    shown: Callable[..., tuple[int, str, str]],
) -> None:
    terraform, cloudformation = (
        shown("--profile", "nova", "--format", form)[1] for form in FORMATS[1:]
    )

    named = "${data.aws_caller_identity.current.account_id}"
    assert 'data "aws_caller_identity" "current" {}\n' in terraform
    filled = json.loads(json.dumps(inside_terraform(terraform)).replace(named, ACCOUNT))
    assert filled == build_policy([NOVA], ACCOUNT)
    assert inside_cloudformation(cloudformation, ACCOUNT) == build_policy([NOVA], ACCOUNT)


@pytest.mark.parametrize("form", FORMATS)
def test_the_forms_of_one_policy_are_as_in_the_golden_files(
    form: str, golden: Callable[[str, str], None]
) -> None:
    policy = build_policy([NOVA, Target(QWEN, "us-west-2")], ACCOUNT)

    golden(f"example.policy.{form}", render(policy, form, "example"))


# --- the command

NOT_ON_BEDROCK = (
    "error: no model of `base` is on Bedrock, so it needs no policy\n\n"
    "hint: `openclaude profiles list` shows what each profile runs on\n"
)
NO_ACCOUNT = (
    "error: `--account` takes the 12 digits of an AWS account\n\n"
    "hint: `aws sts get-caller-identity --query Account --output text` prints them\n"
)
NO_FORM = (
    "error: unknown value for `--format`: `xml` (choose from json, terraform, cloudformation)\n\n"
    "hint: see `openclaude aws policy --help`\n"
)


@pytest.mark.parametrize(
    ("arguments", "status", "err"),
    [
        (("--profile", "base"), 1, NOT_ON_BEDROCK),
        (("--account", "12"), 2, NO_ACCOUNT),
        (("--account", "12345678901x"), 2, NO_ACCOUNT),
        (("--format", "xml"), 2, NO_FORM),
        (
            ("--profile", "zzz"),
            2,
            "error: no profile named `zzz`\n\nhint: list them with `openclaude profiles list`\n",
        ),
    ],
)
def test_what_cannot_be_answered_is_said(
    arguments: tuple[str, ...],
    status: int,
    err: str,
    shown: Callable[..., tuple[int, str, str]],
) -> None:
    assert shown(*arguments) == (status, "", err)


def test_without_an_action_both_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aws"]) == 2
    assert capsys.readouterr().err == (
        "error: `openclaude aws` needs an action\n\nhint: choose from `policy`, `setup`\n"
    )


def test_json_is_the_envelope_with_the_policy_in_it(
    shown: Callable[..., tuple[int, str, str]],
) -> None:
    status, out, err = shown("--profile", "gpt-oss", "--json")

    found = json.loads(out)
    assert (status, err, found["command"]) == (0, "", ["aws", "policy"])
    assert set(found["data"]) == {"profile", "account", "models", "policy", "text", "format"}
    assert found["data"]["policy"] == json.loads(found["data"]["text"])
    assert found["data"]["models"] == [
        {"model": "openai.gpt-oss-120b-1:0", "region": "us-west-2"},
        {"model": "openai.gpt-oss-20b-1:0", "region": "us-west-2"},
    ]


def test_a_person_at_a_terminal_is_told_what_the_star_stands_for(
    shown: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    assert shown("--profile", "nova")[2] == (
        "note: `*` stands for your account. Set it with `--account NUMBER`; "
        "`aws sts get-caller-identity --query Account --output text` prints it\n"
    )
    assert shown("--profile", "nova", "--account", ACCOUNT)[2] == ""
    assert shown("--profile", "qwen")[2] == ""  # a foundation model belongs to no account
    assert shown("--profile", "nova", "--format", "terraform")[2] == ""
