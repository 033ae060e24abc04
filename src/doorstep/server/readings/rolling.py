"""Folding messages into hours and days, each message once, whatever order it comes in.

Pure: rows in, buckets and the new mark out. A mark is the replay window that ingest keeps, so what ingest can
still take late is what a mark can still tell apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from doorstep.messaging.replay import NOTHING_SEEN, WINDOW_WIDTH, mark, was_seen
from doorstep.wire.senml import Reading

__all__ = [
    "BEFORE_ALL",
    "DAY",
    "HOUR",
    "HOUR_US",
    "LARGEST",
    "Bucket",
    "Key",
    "Mark",
    "Place",
    "add",
    "advance",
]

HOUR: Final = 1
DAY: Final = 24
HOUR_US: Final = 3_600_000_000
LARGEST: Final = 1e200
"""Size of a value that is rolled up: the sum of any number of them stays finite."""


class Place(NamedTuple):
    """Where a message stands among those of its device."""

    epoch: int
    seq: int


class Mark(NamedTuple):
    """The newest two epochs that are rolled up, each with its window."""

    epoch: int
    high: int = NOTHING_SEEN
    window: int = 0
    previous_epoch: int | None = None
    previous_high: int = NOTHING_SEEN
    previous_window: int = 0

    @property
    def floor(self) -> Place:
        """The first place of the newest epoch that may still be new."""
        return Place(self.epoch, self.high - WINDOW_WIDTH + 1)

    @property
    def previous_floor(self) -> Place | None:
        """The same of the epoch before."""
        if self.previous_epoch is None:
            return None
        return Place(self.previous_epoch, self.previous_high - WINDOW_WIDTH + 1)


BEFORE_ALL: Final = Mark(-(1 << 62))


class Key(NamedTuple):
    """Which bucket of a device."""

    period: int
    hours: int
    start_us: int
    name: str


@dataclass(slots=True)
class Bucket:
    """What the readings of one name were within its time."""

    unit: str
    count: int
    total: float
    low: float
    high: float
    first: Place
    last: Place


def advance(at: Mark, place: Place) -> Mark | None:
    """Return the mark that holds this message too; None when it does already, or comes too late to tell."""
    epoch, seq = place
    if epoch > at.epoch:
        return Mark(epoch, *mark(NOTHING_SEEN, 0, seq), at.epoch, at.high, at.window)
    if epoch == at.epoch:
        return None if _known(at.high, at.window, seq) else at._replace(**_moved(at.high, at.window, seq))
    if epoch != at.previous_epoch or _known(at.previous_high, at.previous_window, seq):
        return None
    high, window = mark(at.previous_high, at.previous_window, seq)
    return at._replace(previous_high=high, previous_window=window)


def _known(high: int, window: int, seq: int) -> bool:
    return seq <= high - WINDOW_WIDTH or was_seen(high, window, seq)


def _moved(high: int, window: int, seq: int) -> Mapping[str, int]:
    moved = mark(high, window, seq)
    return {"high": moved[0], "window": moved[1]}


def add(buckets: dict[Key, Bucket], period: int, place: Place, time_us: int, reading: Reading) -> None:
    """Count one reading in its hour and its day; text and what is too large for a sum is in neither."""
    if isinstance(reading.value, str) or abs(reading.value) > LARGEST:
        return
    value = float(reading.value)
    for hours in (HOUR, DAY):
        width = hours * HOUR_US
        key = Key(period, hours, time_us // width * width, reading.name)
        bucket = buckets.get(key)
        if bucket is None:
            buckets[key] = Bucket(reading.unit or "", 1, value, value, value, place, place)
            continue
        bucket.count += 1
        bucket.total += value
        bucket.low = min(bucket.low, value)
        bucket.high = max(bucket.high, value)
        bucket.first = min(bucket.first, place)
        bucket.last = max(bucket.last, place)
        bucket.unit = reading.unit or bucket.unit
