"""What `doctor --online` learns from Bedrock's control plane: botocore against the stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor import regions_ask
from openclaude.doctor.regions import (
    RegionAnswer,
    RegionQuestion,
    collect_regions,
    judge_regions,
)
from openclaude.gateway.errors.redaction import presentable
from openclaude.standins.base.exchange import Reply, json_reply
from openclaude.standins.bedrock.reply import error_reply
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin

pytestmark = pytest.mark.reaches_out

KEY, SECRET = "AKIATESTTESTTESTTEST", "hunter2-hunter2-hunter2-hunter2-hunter22"
QWEN, GLM, GPT = "qwen.qwen3-next-80b-a3b", "us.zai.glm-5.3", "openai.gpt-oss-120b-1:0"
HERE = "us-west-2"
Ask = Callable[..., list[Diagnostic]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ask]:
    """Ask a stand-in for models in us-west-2, by a profile's own keys."""
    running: list[BedrockStandin] = []

    def asking(
        *models: str,
        answer: Callable[[BedrockRecorded], Reply | None] | None = None,
        **more: object,
    ) -> list[Diagnostic]:
        standin = BedrockStandin(credentials={KEY: Secret(SECRET)}, answer=answer, **more)  # type: ignore[arg-type]
        running.append(standin.start())
        config = tmp_path / "config"
        config.write_text(
            f"[profile mine]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
            f"services = here\n[services here]\nbedrock =\n  endpoint_url = {standin.url}\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "hunter2-of-the-shell")
        question = RegionQuestion(aws_profile="mine", models=tuple((one, HERE) for one in models))
        connect, everywhere = regions_ask.open_session(question)
        answers = list(regions_ask.answer_all(question, connect, everywhere))
        found = list(judge_regions(question.models, answers, presentable))
        assert "hunter2" not in repr(found)
        return found

    yield asking
    for standin in running:
        assert {one.signed_by for one in standin.requests} == {KEY}
        standin.stop()


def test_a_model_that_its_region_has_is_served_with_the_time_it_took(ask: Ask) -> None:
    (found,) = ask(QWEN)

    assert (found.code, found.severity) == ("bedrock-served", Severity.OK)
    assert found.message.startswith(f"us-west-2 serves `{QWEN}` (AWS said so in ")
    assert found.message.endswith(" ms)")


def test_an_inference_profile_says_where_its_requests_go(ask: Ask) -> None:
    (found,) = ask(GLM)

    assert found.message.startswith(f"us-west-2 serves `{GLM}` by way of us-west-2 (")


def test_a_model_of_other_regions_is_named_with_them(ask: Ask) -> None:
    places = {QWEN: frozenset({"us-east-1", "eu-north-1"})}

    missing, served = ask(QWEN, GPT, places=places)

    assert (missing.code, missing.severity) == ("bedrock-not-served", Severity.WARNING)
    assert missing.message == f"us-west-2 does not serve `{QWEN}`, only eu-north-1, us-east-1"
    assert "`region`" in missing.fix
    assert served.code == "bedrock-served"


def test_a_model_that_only_a_profile_serves_is_named_with_the_profiles_id(ask: Ask) -> None:
    (found,) = ask("zai.glm-5.3")

    assert found.message == "us-west-2 serves `zai.glm-5.3` only through an inference profile"
    assert found.fix == "write one of `bedrock/us.zai.glm-5.3` in the profile"


def test_a_model_without_an_agreement_is_not_enabled(ask: Ask) -> None:
    (found,) = ask(QWEN, disabled=frozenset({QWEN}))

    assert (found.code, found.severity) == ("bedrock-not-enabled", Severity.WARNING)
    assert "entitlementAvailability: NOT_AVAILABLE" in found.message


DENIED = "User: arn:aws:iam::1:user/me is not authorized to perform: bedrock:ListFoundationModels"
RUDE: dict[str, tuple[Reply, str]] = {
    "denied": (error_reply(403, DENIED, kind="AccessDeniedException"), "allow bedrock:List"),
    "throttled": (error_reply(429, "Rate exceeded", kind="ThrottlingException"), "in a minute"),
    "late": (json_reply(200, {"modelSummaries": []}, wait_s=60), "check your network"),
    "cut": (Reply(cut=True), "error message"),
    "html": (Reply(body=b"<html>Log in to the hotel</html>"), "error message"),
    "a text for a list": (json_reply(200, {"modelSummaries": "\x1b[31mall"}), "error message"),
    "nothing": (json_reply(200, {}), "error message"),
    "a broken error": (Reply(status=502, body=b"\x1b[2J<html>"), "error message"),
}


@pytest.mark.parametrize("kind", RUDE)
def test_a_rude_answer_is_one_note_in_one_sentence(
    ask: Ask, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions_ask, "READ_S", 0.2)
    reply, fix = RUDE[kind]

    (found,) = ask(QWEN, answer=lambda _: reply)

    assert (found.code, found.severity) == ("bedrock-regions-unknown", Severity.NOTE)
    assert found.message.startswith("AWS did not say which models us-west-2 has: ")
    assert found.message.isprintable()
    assert fix in found.fix


def test_endless_pages_of_profiles_come_to_an_end(ask: Ask) -> None:
    def answer(request: BedrockRecorded) -> Reply | None:
        if request.operation != "ListInferenceProfiles":
            return None
        return json_reply(200, {"inferenceProfileSummaries": [], "nextToken": "again"})

    (found,) = ask(QWEN, answer=answer)

    assert found.code == "bedrock-served"


def test_profiles_that_may_not_be_listed_leave_the_other_models_known(ask: Ask) -> None:
    def answer(request: BedrockRecorded) -> Reply | None:
        is_it = request.operation == "ListInferenceProfiles"
        return error_reply(403, "no", kind="AccessDeniedException") if is_it else None

    note, served = ask(QWEN, GLM, answer=answer)

    assert note.message.startswith("AWS did not say which inference profiles us-west-2 has: ")
    assert QWEN in served.message


def test_access_that_may_not_be_asked_is_not_claimed_to_be_missing(ask: Ask) -> None:
    def answer(request: BedrockRecorded) -> Reply | None:
        is_it = request.operation == "GetFoundationModelAvailability"
        return error_reply(403, "no", kind="AccessDeniedException") if is_it else None

    (found,) = ask(QWEN, answer=answer)

    assert found.code == "bedrock-served"


def test_a_process_that_hangs_or_fails_is_a_note_for_what_it_did_not_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = ((QWEN, HERE), (QWEN, "eu-north-1"))
    question = RegionQuestion(aws_profile="mine", models=models)
    line = json.dumps({"region": HERE, "on_demand": [QWEN]})
    monkeypatch.setattr("openclaude.doctor.regions.PATIENCE_S", 1.0)

    for end, said in (("sleep 600", "no answer in time"), ("echo boom >&2; exit 1", "boom")):
        argv = [
            "/bin/sh",
            "-c",
            f"echo '{line}'; printf '{{\"reg'; {end.replace('sleep', 'exec sleep')}",
        ]
        answers = collect_regions(question, argv, {"PATH": "/usr/bin:/bin"})

        heard, silent = answers
        assert heard.offers(QWEN)
        assert silent == RegionAnswer(region="eu-north-1", error=said)
