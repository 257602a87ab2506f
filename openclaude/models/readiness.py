"""Readiness of a model: whether claude can work with it in a tier.

Knows: what claude needs. Independent of: today's date, which is asked for; profiles.
"""

from __future__ import annotations

import datetime

from openclaude.models.catalog import Model

SMALLEST_WINDOW = 64_000  # claude's instructions and tools fill a smaller one quickly
NOTICE_DAYS = 180


def is_tier_ready(model: Model, today: datetime.date) -> bool:
    """Whether a model has tools, a window, a cap, and half a year to live, as far as is known."""
    return (
        model.tools
        and model.max_input_tokens >= SMALLEST_WINDOW
        and model.max_output_tokens > 0
        and not ends_soon(model, today)
    )


def ends_soon(model: Model, today: datetime.date) -> bool:
    """Whether a model is or will shortly be retired."""
    end = end_of(model)
    return end is not None and end - today <= datetime.timedelta(days=NOTICE_DAYS)


def is_retired(model: Model, today: datetime.date) -> bool:
    """Whether a model was retired before today."""
    return bool(model.deprecation_date) and model.deprecation_date < today.isoformat()


def end_of(model: Model) -> datetime.date | None:
    """The day a model will be retired, if one is announced."""
    announced = model.deprecation_date
    return datetime.date.fromisoformat(announced) if announced else None
