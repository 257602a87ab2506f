"""Bedrock's control plane: which models and inference profiles a region has.

Knows: three operations as the Amazon Bedrock API Reference has them (ListFoundationModels,
ListInferenceProfiles, GetFoundationModelAvailability). Independent of: signatures, and requests to
models.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote

from openclaude.standins.base.exchange import Reply, json_reply

ROUTES = {
    "ListFoundationModels": re.compile(r"/foundation-models"),
    "ListInferenceProfiles": re.compile(r"/inference-profiles"),
    "GetFoundationModelAvailability": re.compile(r"/foundation-model-availability/([^/]+)"),
}
PREFIX = re.compile(r"(?:global|us|eu|apac|jp|au)\.")


def control_operation(path: str) -> str:
    """The operation of a path, "" for another one."""
    return next((name for name, route in ROUTES.items() if route.fullmatch(path)), "")


def control_reply(
    path: str,
    region: str,
    *,
    models: Collection[str],
    places: Mapping[str, Collection[str]],
    disabled: Collection[str],
) -> Reply:
    """What a region answers. `places`: the only regions of a model; `disabled`: without access."""
    here = [one for one in sorted(models) if region in places.get(one, (region,))]
    operation = control_operation(path)
    if operation == "ListFoundationModels":
        own = {PREFIX.sub("", one): one for one in here}
        return json_reply(200, {"modelSummaries": [_summary(a, region, b) for a, b in own.items()]})
    if operation == "ListInferenceProfiles":
        found = [_profile(one, region) for one in here if PREFIX.match(one)]
        return json_reply(200, {"inferenceProfileSummaries": found})
    model = unquote(path.rpartition("/")[2])
    is_usable = model not in disabled
    return json_reply(
        200,
        {
            "modelId": model,
            "agreementAvailability": {"status": "AVAILABLE" if is_usable else "NOT_AVAILABLE"},
            "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": "AVAILABLE" if is_usable else "NOT_AVAILABLE",
            "regionAvailability": "AVAILABLE",
        },
    )


def _summary(model: str, region: str, served_as: str) -> dict[str, Any]:
    return {
        "modelArn": f"arn:aws:bedrock:{region}::foundation-model/{model}",
        "modelId": model,
        "modelName": model,
        "providerName": model.partition(".")[0],
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND" if served_as == model else "INFERENCE_PROFILE"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _profile(name: str, region: str) -> dict[str, Any]:
    model = PREFIX.sub("", name)
    return {
        "inferenceProfileId": name,
        "inferenceProfileName": name,
        "inferenceProfileArn": f"arn:aws:bedrock:{region}:111122223333:inference-profile/{name}",
        "models": [{"modelArn": f"arn:aws:bedrock:{region}::foundation-model/{model}"}],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }
