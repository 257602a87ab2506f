"""The budgets of a profile, as main gets them in an environment variable.

Knows: the fields, their types, the JSON form. Independent of: who fills them in, how spending is
counted. Annotations are not postponed here: `decode` reads them.
"""

import enum
import json
from collections.abc import Mapping

from openclaude.contracts.decode import Malformed, encode, read
from openclaude.contracts.record import Record
from openclaude.contracts.routing import SlotRoute

VARIABLE = "OPENCLAUDE_BUDGET"
WHAT = "main's budgets"  # in the sentences about ones that cannot be read


class Period(enum.StrEnum):
    """What a budget is for."""

    DAY = "day"
    MONTH = "month"
    SESSION = "session"


class Then(enum.StrEnum):
    """What happens when a budget is used up."""

    STOP = "stop"
    CLAUDE = "claude"
    MODEL = "model"


class Budget(Record):
    """US dollars for a day, a month or a session; of one tier, or of all together."""

    period: Period
    dollars: float
    tier: str = ""


class Budgets(Record):
    """All budgets of a profile, and what happens at their end."""

    budgets: tuple[Budget, ...] = ()
    then: Then = Then.STOP
    slot: str = ""  # the id of the one that answers then
    route: SlotRoute | None = None  # of that slot
    requests_per_minute: int = 0  # of one session to slots; 0: any number

    def to_json(self) -> str:
        """The budgets as one JSON document; `read_budgets` is its inverse."""
        return json.dumps(encode(self))


def read_budgets(text: str) -> Budgets:
    """The budgets that `Budgets.to_json` wrote. Raises Malformed."""
    found = read(Budgets, text, WHAT)
    if found.then is Then.MODEL and not (found.slot and found.route):
        raise Malformed(f"{WHAT}: `slot` and `route` are missing")
    return found


def budgets_in(env: Mapping[str, str]) -> Budgets | None:
    """The budgets in an environment, if there are any. Raises Malformed."""
    return read_budgets(env[VARIABLE]) if VARIABLE in env else None
