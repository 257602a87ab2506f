"""The process that asks AWS: `python -m openclaude.aws.online_ask`, one question on its stdin.

Knows: botocore. Must not depend on what an answer means. It is a process of its own because
botocore reads the environment, and this one has what `providers` has: no key, no token, no other
profile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from openclaude.aws.endpoints import EndpointUnusable, with_key
from openclaude.aws.online import AwsAnswer, AwsQuestion
from openclaude.contracts.decode import read, to_line

TIMEOUT_S = 30.0
ANYWHERE = "us-east-1"  # a region for STS, where no model has one


def main() -> None:
    """Answer one question: a JSON object in, a JSON line out for each answer."""
    question = read(AwsQuestion, sys.stdin.read(), "a question for AWS")
    for answer in answers(question):
        sys.stdout.buffer.write(to_line(answer))
        sys.stdout.buffer.flush()


def answers(question: AwsQuestion) -> Iterator[AwsAnswer]:
    """The identity, then each model's answer."""
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    session = botocore.session.Session(profile=question.aws_profile or None)
    config = Config(
        connect_timeout=TIMEOUT_S,
        read_timeout=TIMEOUT_S,
        retries={"total_max_attempts": 1},
        signature_version=UNSIGNED if question.api_key else None,
    )
    regions = [region for _, region in question.models]

    def client(service: str, region: str, endpoint: str = "") -> Any:
        made = session.create_client(
            service, region_name=region, endpoint_url=endpoint or None, config=config
        )
        return with_key(made, question.api_key)

    def identity() -> str:
        return str(client("sts", next(iter(regions), ANYWHERE)).get_caller_identity()["Arn"])

    if not question.api_key:
        yield answer_of(identity)
    for model, region in question.models:

        def converse(model: str = model, region: str = region) -> str:
            client("bedrock-runtime", region, question.endpoint_url).converse(
                modelId=model,
                messages=[{"role": "user", "content": [{"text": "hi"}]}],
                inferenceConfig={"maxTokens": 1},
            )
            return ""

        yield answer_of(converse)._replace(model=model, region=region)


def answer_of(ask: Callable[[], str]) -> AwsAnswer:
    """What AWS answers, or its error."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
    )

    try:
        return AwsAnswer(text=ask())
    except (BotoCoreError, ClientError, EndpointUnusable) as error:
        return AwsAnswer(error=str(error))


if __name__ == "__main__":
    main()
