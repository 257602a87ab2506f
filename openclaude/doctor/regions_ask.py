"""The process that asks Bedrock's control plane: `python -m openclaude.doctor.regions_ask`.

Knows: botocore, the three operations (Amazon Bedrock API Reference: ListFoundationModels,
ListInferenceProfiles, GetFoundationModelAvailability). Must not depend on what an answer means. A
process of its own, with the environment of `providers`: no key, no token, no other profile.
Annotations are not postponed here: `decode` reads them.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import Any

from openclaude.aws.endpoints import EndpointUnusable, with_key
from openclaude.contracts.decode import read, to_line
from openclaude.doctor.regions import RegionAnswer, RegionQuestion
from openclaude.providers.bedrock import split_prefix

CONNECT_S, READ_S = 5.0, 10.0
AT_ONCE = 8  # regions
PAGES = 20  # of inference profiles, of a hundred each; a region has about fifty
LONGEST = 400  # characters of an error
# what GetFoundationModelAvailability answers for a model that can be used
USABLE = {
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}

Connect = Callable[[str], Any]  # a region -> a client of Bedrock's control plane


def main() -> None:
    """Answer one question: a JSON object in, a JSON line out for each region."""
    question = read(RegionQuestion, sys.stdin.buffer.read(), "a question about regions")
    connect, everywhere = open_session(question)
    for answer in answer_all(question, connect, everywhere):
        sys.stdout.buffer.write(to_line(answer))
        sys.stdout.buffer.flush()


def open_session(
    question: RegionQuestion,
) -> tuple[Connect, Callable[[str], Iterable[str]]]:
    """How to ask a region, and which others the same partition of AWS has."""
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    session = botocore.session.Session(profile=question.aws_profile or None)
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"total_max_attempts": 1},
        # never a bearer token of the shell
        signature_version=UNSIGNED if question.api_key else "v4",
    )
    if not question.api_key:
        session.get_credentials()  # once, before threads ask for them

    one_by_one = Lock()  # botocore makes no two clients at once

    def connect(region: str) -> Any:
        with one_by_one:
            client = session.create_client("bedrock", region_name=region, config=config)
            return with_key(client, question.api_key)

    def everywhere(region: str) -> Iterable[str]:
        partition = session.get_partition_for_region(region)
        return list(session.get_available_regions("bedrock", partition_name=partition))

    return connect, everywhere


def answer_all(
    question: RegionQuestion, connect: Connect, everywhere: Callable[[str], Iterable[str]]
) -> Iterator[RegionAnswer]:
    """The profile's regions; then, if one lacks a model, the others of its partition."""
    wanted: dict[str, list[str]] = {}
    for model, region in question.models:
        wanted.setdefault(region, []).append(model)
    asked = set(wanted)
    others: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(lambda one: answer_of(connect, one, wanted[one]), wanted):
            yield answer
            is_known = not answer.error and not answer.profiles_error
            if is_known and not all(map(answer.offers, wanted[answer.region])):
                others.update(everywhere(answer.region))
        yield from pool.map(lambda one: answer_of(connect, one, ()), sorted(others - asked))


def answer_of(connect: Connect, region: str, models: Iterable[str]) -> RegionAnswer:
    """What one region says; `models` are those whose access is asked for."""
    began = monotonic()
    try:
        client = connect(region)
        found = client.list_foundation_models()["modelSummaries"]
        here = [str(one["modelId"]) for one in found if is_on_demand(one)]
        rest = [str(one["modelId"]) for one in found if not is_on_demand(one)]
    except Exception as error:  # noqa: BLE001 - botocore's parser raises anything for garbage
        return RegionAnswer(region=region, error=said(error))
    answer = RegionAnswer(
        region=region,
        took_ms=round((monotonic() - began) * 1000),
        on_demand=tuple(here),
        others=tuple(rest),
    )
    try:
        answer = answer._replace(profiles=tuple(list_profiles(client)))
    except Exception as error:  # noqa: BLE001 - as above
        answer = answer._replace(profiles_error=said(error))
    offered = [one for one in models if answer.offers(one)]
    lacking = [(one, what) for one in offered if (what := lacks(client, one))]
    return answer._replace(lacking=tuple(lacking))


def is_on_demand(model: Any) -> bool:
    """Whether a model is asked by its own id."""
    return "ON_DEMAND" in model["inferenceTypesSupported"]


def list_profiles(client: Any) -> Iterator[tuple[str, ...]]:
    """The inference profiles of a region: id, then the ARNs of the models behind it."""
    more: dict[str, str] = {}
    for _ in range(PAGES):
        page = client.list_inference_profiles(maxResults=100, **more)
        for one in page["inferenceProfileSummaries"]:
            arns = [str(model["modelArn"]) for model in one["models"]]
            yield (str(one["inferenceProfileId"]), *arns)
        if not page.get("nextToken"):
            return
        more = {"nextToken": page["nextToken"]}


def lacks(client: Any, model: str) -> str:
    """What the account lacks to use a model; "" where nothing, or where AWS does not say."""
    try:
        found = client.get_foundation_model_availability(modelId=split_prefix(model)[1])
        states = {name: str(found[name]) for name in USABLE}
        states["agreementAvailability"] = str(found["agreementAvailability"]["status"])
    except Exception:  # noqa: BLE001 - often forbidden; the model's answer says more
        return ""
    wanted = USABLE | {"agreementAvailability": "AVAILABLE"}
    return ", ".join(f"{name}: {states[name]}" for name in wanted if states[name] != wanted[name])


def said(error: Exception) -> str:
    """An error of botocore's, with its kind where it says nothing else."""
    text = f"{error}"[:LONGEST]
    is_told = type(error).__module__ == "botocore.exceptions" or hasattr(error, "response")
    is_told = is_told or isinstance(error, EndpointUnusable)
    return text if text and is_told else f"an answer that is not AWS's ({type(error).__name__})"


if __name__ == "__main__":
    main()
