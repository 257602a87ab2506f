"""Which requests are counted by Bedrock: those of a slot whose model is a Claude there.

Knows: the format of an instance's deployments. Independent of: LiteLLM as a library (`ask` and
`has_own_address` are passed in), what a refusal means.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from openclaude.contracts.decode import Malformed
from openclaude.contracts.references import BEDROCK
from openclaude.gateway.counting.answering import Countable
from openclaude.gateway.counting.body import count_body
from openclaude.gateway.counting.refusals import Counter, CountRefused
from openclaude.gateway.requests.capabilities import slot_capabilities
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.shape import find_mistake
from openclaude.gateway.requests.tools import Refused

Deployment = Mapping[str, Any]


class AskBedrock(Protocol):
    """Asks Bedrock for a count: returns it, or the status and the words of a refusal."""

    def __call__(
        self, deployment: Deployment, body: Mapping[str, Any], /, *, at_mantle: bool
    ) -> Awaitable[int | tuple[int, str]]: ...


class CountsOfClaude:
    """Finds how a request is counted."""

    def __init__(
        self,
        deployments: Callable[[], Sequence[Deployment]],
        ask: AskBedrock,
        has_own_address: Callable[[Deployment], bool],
    ) -> None:
        """`has_own_address` tells whether a deployment is asked elsewhere than at AWS's own."""
        self._deployments = deployments
        self._ask = ask
        self._has_own_address = has_own_address

    def __call__(self, document: Mapping[str, Any]) -> Countable | None:
        slot, known = document.get("model"), self._deployments()
        own = next((one for one in known if one.get("model_name") == slot), None)
        if own is None or find_mistake(document):
            return None
        try:
            capabilities = slot_capabilities(slot, known)
            if capabilities.claude_signer != BEDROCK:
                return None
            body = count_body(fit_request(document, capabilities), capabilities)
        except (Refused, Malformed):  # the message itself will be told why
            return None

        async def ask(counter: Counter) -> int:
            if counter is Counter.MANTLE and self._has_own_address(own):
                raise CountRefused(404, "it is asked at its own address only")
            found = await self._ask(own, body, at_mantle=counter is Counter.MANTLE)
            if isinstance(found, int):
                return found
            raise CountRefused(*found)

        return Countable(str(slot), tuple(Counter), ask)
