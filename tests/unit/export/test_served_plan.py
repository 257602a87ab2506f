"""What a container gets of a plan: nothing of this machine, nothing that could not work there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from openclaude.contracts.plan import read_plan
from openclaude.export.served import CannotExport, file_name, object_name
from tests.unit.export.made import OTHERS, made, plan_of


def test_the_plan_has_the_providers_alone_and_nothing_of_this_machine() -> None:
    text = made(OTHERS).plan

    plan = read_plan(text)
    assert [unit.name for unit in plan.units] == ["providers"]
    assert list(plan.files) == ["providers.yaml"]
    for word in ("/home/ann", "~/", "my login", "mine", "Claude", "anthropic.com"):
        assert word not in text


def test_it_asks_for_the_same_models_as_the_plan_that_it_is_of() -> None:
    config = plan_of(OTHERS).files["providers.yaml"]

    assert read_plan(made(OTHERS).plan).files["providers.yaml"] == config
    names = [one["model_name"] for one in yaml.safe_load(config)["model_list"]]
    assert [tier.slot for tier in read_plan(made(OTHERS).plan).tiers] == names


def test_keys_are_where_a_container_has_them() -> None:
    served = made(OTHERS)

    (unit,) = read_plan(served.plan).units
    assert served.variables == ("OPENAI_API_KEY",)
    assert list(served.files) == ["groq-key"]
    assert sorted(unit.secrets.values()) == [
        "env:OPENAI_API_KEY",
        "file:/etc/openclaude/keys/groq-key",
    ]


def test_two_files_of_one_name_are_two_and_a_file_that_two_tiers_read_is_one() -> None:
    first, second = 'api_key = "file:/a/key"', 'api_key = "file:/b/key"'
    text = "".join(
        f'[tiers.{tier}]\nmodel = "openai/gpt-5.6-luna"\n{key}\n'
        for tier, key in (("haiku", first), ("sonnet", second), ("opus", first))
    )

    files = made(text).files
    assert list(files) == ["key", "key-2"]
    assert set(files.values()) == {"openai/gpt-5.6-luna"}


def test_a_name_of_a_file_is_one_that_a_secret_may_have() -> None:
    assert file_name("/x/a b: {c}.txt", set()) == "a-b-c-.txt"
    assert file_name("/x/..", set()) == "key"
    assert len(file_name(f"/x/{'y' * 250}", set())) == 100


@pytest.mark.parametrize("profile", ["a.b", "a_b", "a-", "0" * 64, "x..y"])
def test_the_name_of_an_object_is_a_label_that_no_other_profile_has(profile: str) -> None:
    name = object_name(profile)

    assert len(name) <= 58  # and `-people`
    assert name.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
    assert not name.endswith("-")
    assert name not in {object_name("a-b"), object_name("a"), object_name("x-y")}


def test_a_key_that_a_program_prints_is_refused_by_name() -> None:
    text = '[tiers.haiku]\nmodel = "openai/gpt-5.6-luna"\napi_key = "command:pass show groq"\n'

    with pytest.raises(CannotExport, match="`command:pass show groq`, and a container has neither"):
        made(text)


@pytest.mark.parametrize("host", ["127.0.0.1:11434", "localhost:8000", "[::1]:8000", "x.localhost"])
def test_a_model_on_this_machine_is_refused(host: str) -> None:
    limits = "context_window = 9000\nmax_output_tokens = 900\n"
    text = f'[tiers.haiku]\nmodel = "hosted_vllm/m"\napi_base = "https://{host}/v1"\n{limits}'

    with pytest.raises(CannotExport, match="that address is the container itself"):
        made(text)


@pytest.mark.parametrize("path", ["/home/ann/ca.pem", "~/ca.pem"])
def test_a_path_of_this_machine_is_refused_wherever_it_is(path: str) -> None:
    text = f'[tiers.haiku]\nmodel = "openai/gpt-5.6-luna"\nparams = {{ ssl_verify = "{path}" }}\n'

    with pytest.raises(CannotExport, match="a path of this machine in `ssl_verify` of openai/gpt"):
        made(text)


def test_each_key_says_whose_it_is() -> None:
    text = "".join(
        f'[tiers.{tier}]\nmodel = "{model}"\napi_key = "file:/{tier}/api key"\n'
        for tier, model in (("haiku", "openai/gpt-5.6-luna"), ("opus", "gemini/gemini-3.8-flash"))
    )

    assert set(made(text).files.values()) == {"openai/gpt-5.6-luna", "gemini/gemini-3.8-flash"}


def test_another_plan_has_another_digest_and_the_same_one_the_same() -> None:
    assert made(OTHERS) == made(OTHERS)
    assert made(OTHERS).digest != made(OTHERS.replace("gpt-5.6-luna", "gpt-5.6-terra")).digest


def test_the_module_is_pure(tmp_path: Path) -> None:
    text = OTHERS.replace("/home/ann", str(tmp_path))  # the file is not there

    assert list(made(text).files) == ["groq-key"]
