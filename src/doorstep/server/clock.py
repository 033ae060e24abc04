"""Where the server reads the clock: microseconds since 1970, as the tables keep them."""

import time
from datetime import UTC, datetime, timedelta

__all__ = ["from_us", "now_us", "to_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_us() -> int:
    """Return this moment."""
    return time.time_ns() // 1000


def from_us(us: int) -> datetime:
    """Return a moment as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=us)


def to_us(moment: datetime) -> int:
    """Return an aware datetime as microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
