"""Who counts, and for how long someone who has refused to count is not asked again.

Knows: what the refusals of AWS mean for the next count. Independent of: how a count is asked for,
LiteLLM. A count is worth little: no refusal is answered with a second try.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

SHORT_S = 60.0  # throttled, out of order, too slow: it may pass
LONG_S = 3600.0  # a permission or a model: it has to be changed at AWS, and `restart` forgets it
LONGEST_SAID = 300  # characters of AWS's message in the log


class Counter(StrEnum):
    """An API of Bedrock's that counts, in the order in which they are asked."""

    RUNTIME = "bedrock-runtime"  # CountTokens
    MANTLE = "bedrock-mantle"  # count_tokens, for models that CountTokens does not know


class CountRefused(Exception):
    """A count that was refused: `status` is AWS's, 0 for no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


# CountTokens's words for models that it does not count (alchemy.run/providers/aws/bedrock/
# counttokens; BerriAI/litellm#34272, #32683), and for an id that it does not have
UNCOUNTED = re.compile(
    r"doesn.t support counting|not support(?:ed)? .{0,40}count|model identifier is invalid"
    r"|on-demand throughput|inference profile|could not (?:be found|resolve)|not found",
    re.IGNORECASE,
)
FORBIDDEN = frozenset({401, 403})


class Pause(NamedTuple):
    """Until when a counter is not asked, and whether the next one may be."""

    until: float
    is_of_model: bool


def pause_after(refused: CountRefused, counter: Counter) -> tuple[float, bool]:
    """For how many seconds a counter is left alone, and whether that is about the model.

    0 where it is about this one request.
    """
    if refused.status in FORBIDDEN:
        return LONG_S, False
    if refused.status == 404 or (refused.status == 400 and UNCOUNTED.search(refused.message)):
        return LONG_S, True
    if refused.status == 400:
        return 0.0, False
    # a network that lets nothing out but Bedrock itself would cost each count its whole time
    is_cut_off = counter is Counter.MANTLE and not 0 < refused.status < 500
    return LONG_S if is_cut_off else SHORT_S, False


class Pauses:
    """Which counters of which models are left alone."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: a clock that never goes back, in seconds."""
        self._now = now
        self._kept: dict[tuple[str, Counter], Pause] = {}

    def next_for(self, slot: str, counters: tuple[Counter, ...]) -> Counter | None:
        """Return who will be asked: the first, and another one where that has not the model."""
        for counter in counters:
            pause = self._kept.get((slot, counter))
            if pause is None or self._now() >= pause.until:
                return counter
            if not pause.is_of_model:
                return None
        return None

    def refused(self, slot: str, counter: Counter, refused: CountRefused) -> bool:
        """Note a refusal; return whether it was not known before."""
        wait_s, is_of_model = pause_after(refused, counter)
        if not wait_s:
            return False
        before = self._kept.get((slot, counter))
        self._kept[slot, counter] = Pause(self._now() + wait_s, is_of_model)
        return before is None or self._now() >= before.until
