"""The process that asks AWS: `python -m openclaude.doctor.online_ask`, one question on its stdin.

Knows: botocore. Refuses to know: what an answer means. It is a process of its own because botocore
reads the environment, and this one has what `providers` has: no key, no token, no other profile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

TIMEOUT_S = 30.0
ANYWHERE = "us-east-1"  # a region for STS, where no model names one


def main() -> None:
    """Answer one question: a JSON object in, a JSON line out for everything that was asked."""
    question = json.load(sys.stdin)
    for answer in answers(question):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def answers(question: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Who AWS says we are, then what each model says."""
    import botocore.session  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    session = botocore.session.Session(profile=question["aws_profile"])
    config = Config(
        connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 1}
    )
    regions = [region for _, region in question["models"]]

    def client(service: str, region: str, endpoint: str = "") -> Any:
        return session.create_client(
            service, region_name=region, endpoint_url=endpoint or None, config=config
        )

    def identity() -> str:
        return str(client("sts", next(iter(regions), ANYWHERE)).get_caller_identity()["Arn"])

    yield {"asked": "identity", "region": "", **told(identity)}
    for model, region in question["models"]:

        def converse(model: str = model, region: str = region) -> str:
            client("bedrock-runtime", region, question["endpoint_url"]).converse(
                modelId=model,
                messages=[{"role": "user", "content": [{"text": "hi"}]}],
                inferenceConfig={"maxTokens": 1},
            )
            return ""

        yield {"asked": model, "region": region, **told(converse)}


def told(ask: Callable[[], str]) -> dict[str, str]:
    """What an answer says, or the error in its place."""
    from botocore.exceptions import (  # type: ignore[import-untyped]
        BotoCoreError,
        ClientError,
    )

    try:
        return {"said": ask(), "error": ""}
    except (BotoCoreError, ClientError) as error:
        return {"said": "", "error": str(error)}


if __name__ == "__main__":
    main()
