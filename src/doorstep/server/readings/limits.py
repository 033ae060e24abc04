"""When a threshold is crossed, and when all is well again. Pure."""

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["MAIL_EVERY_US", "ThresholdKind", "Turn", "is_beyond", "turn"]

MAIL_EVERY_US: Final = 3600 * 1_000_000
"""A threshold that is crossed again and again is mailed once an hour."""


class ThresholdKind(enum.StrEnum):
    """What a threshold watches for."""

    ABOVE = "above"
    BELOW = "below"
    SILENT = "silent"


class Turn(NamedTuple):
    """What new readings did to a threshold."""

    opened: float | None
    """The first reading beyond it, when none was before."""
    closed: bool
    """The newest reading is back."""


def is_beyond(kind: ThresholdKind, limit: float, value: float) -> bool:
    """Whether a reading crosses the threshold; being on it does not."""
    return value > limit if kind is ThresholdKind.ABOVE else value < limit


def turn(kind: ThresholdKind, limit: float, *, is_open: bool, values: Sequence[float]) -> Turn:
    """Judge readings in the order of their time: however often they cross, one alert opens and one closes."""
    beyond = [value for value in values if is_beyond(kind, limit, value)]
    opened = beyond[0] if beyond and not is_open else None
    back = bool(values) and not is_beyond(kind, limit, values[-1])
    return Turn(opened, back and (is_open or opened is not None))
