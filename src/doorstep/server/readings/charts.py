"""Readings over an hour, a day, a week, a month or a year, for charts; at most some hundred points a line.

A week and more come from the roll-ups and from what is not rolled up yet; less comes from the messages, which
the roll-ups tell where to find. Whoever calls has found the device for a principal.
"""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Mod

from doorstep.server.fleet.models import Device
from doorstep.server.readings import rolling
from doorstep.server.readings.digest import fresh_rows, mark_of
from doorstep.server.readings.models import Message, RollUp, RollUpMark
from doorstep.server.readings.queries import CHANNELS, points_of
from doorstep.server.readings.rolling import HOUR_US, Bucket, Key, Mark, Place, add, advance

__all__ = ["MOST_LINES", "Dot", "Line", "Span", "first_place", "lines_of", "messages_from"]

MOST_LINES: Final = 12
"""Readings of one device that are drawn unless some are named."""
_MOST_DOTS: Final = 720
_AHEAD_US: Final = 600 * 1_000_000
"""So far may a device's clock run ahead of ours without its readings being missed."""
_UNROLLED: Final = 5_000
"""Newest messages that a page folds itself; more, and the jobs role is far behind."""


class Span(enum.Enum):
    """How far a chart looks back: hours, and hours a point (0: as it was sent)."""

    HOUR = ("hour", 1, 0)
    DAY = ("day", 24, 0)
    WEEK = ("week", 168, rolling.HOUR)
    MONTH = ("month", 720, rolling.HOUR)
    YEAR = ("year", 8760, rolling.DAY)

    def __init__(self, key: str, back: int, hours: int) -> None:
        self.key = key
        self.back_us = back * HOUR_US
        self.hours = hours


class Dot(NamedTuple):
    """One point of a line: the mean, and between which values it lies."""

    time_us: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """One reading of one device, oldest first."""

    device: Device
    name: str
    unit: str
    dots: tuple[Dot, ...]


def lines_of(device: Device, span: Span, now_us: int, names: Iterable[str] = ()) -> list[Line]:
    """Return the numbers that a device sent in the span before ``now_us``, a line for each name."""
    since_us, mark = now_us - span.back_us, mark_of(RollUpMark.objects.filter(pk=device.pk).first())
    if span.hours:
        found = _rolled(device, span.hours, since_us, mark, tuple(names))
    else:
        found = _sent(device, since_us, mark, frozenset(names))
    return [Line(device, name, unit, tuple(sorted(dots))) for name, (unit, dots) in sorted(found.items())][
        :MOST_LINES
    ]


_Found = dict[str, tuple[str, list[Dot]]]


def _rolled(device: Device, hours: int, since_us: int, mark: Mark, names: tuple[str, ...]) -> _Found:
    rows = RollUp.objects.filter(
        device_id=device.pk,
        ownership_period=device.ownership_period,
        hours=hours,
        start_us__gt=since_us - hours * HOUR_US,
    )
    if names:
        rows = rows.filter(name__in=names)
    buckets = _unrolled(device, hours, since_us, mark, names)
    units, dots = dict[str, str](), dict[str, list[Dot]]()
    for start_us, name, unit, count, total, low, high in rows.values_list(
        "start_us", "name", "unit", "count", "total", "low", "high"
    ):
        more = buckets.pop((start_us, name), None)
        if more is not None:
            count, total = count + more.count, total + more.total  # noqa: PLW2901 - one row, completed
            low, high = min(low, more.low), max(high, more.high)  # noqa: PLW2901 - as above
        units[name] = unit
        dots.setdefault(name, []).append(Dot(start_us, total / count, low, high))
    for (start_us, name), one in buckets.items():
        units.setdefault(name, one.unit)
        dots.setdefault(name, []).append(Dot(start_us, one.total / one.count, one.low, one.high))
    return {name: (units[name], some) for name, some in dots.items()}


def _unrolled(
    device: Device, hours: int, since_us: int, mark: Mark, names: tuple[str, ...]
) -> dict[tuple[int, str], Bucket]:
    """Fold what the jobs role has not rolled up yet."""
    buckets: dict[Key, Bucket] = {}
    width = hours * HOUR_US
    at, oldest_us = mark, (since_us // width) * width - 1  # a bucket is shown whole
    for one in fresh_rows(device.pk, mark, _UNROLLED):
        moved = advance(at, one.place)
        if moved is None or one.period != device.ownership_period:
            continue
        at = moved
        for time_us, reading in one.readings:
            if time_us > oldest_us and (not names or reading.name in names):
                add(buckets, one.period, one.place, time_us, reading)
    return {(key.start_us, key.name): one for key, one in buckets.items() if key.hours == hours}


def _sent(device: Device, since_us: int, mark: Mark, names: frozenset[str]) -> _Found:
    found: _Found = {}
    for payload, received_us, channel in _thinned(device, since_us, mark):
        for point in points_of(payload, received_us, channel):
            if point.time_us <= since_us or isinstance(point.value, str):
                continue
            if not names or point.name in names:
                value = float(point.value)
                dots = found.setdefault(point.name, (point.unit, []))[1]
                dots.append(Dot(point.time_us, value, value, value))
    return found


def _thinned(device: Device, since_us: int, mark: Mark) -> Iterator[tuple[bytes | memoryview, int, str]]:
    """Yield the messages of the span; of too many every second, third … one, by their numbers."""
    floor = first_place(device, since_us, mark)
    rows = messages_from(device, floor).filter(received_us__gt=since_us - _AHEAD_US)
    every = -(-rows.count() // _MOST_DOTS)
    if every > 1:
        rows = rows.annotate(rest=Mod(F("seq"), Value(every))).filter(rest=0)
    yield from rows.order_by("epoch", "seq").values_list("payload", "received_us", "channel")[
        : 4 * _MOST_DOTS
    ]


def first_place(device: Device, since_us: int, mark: Mark) -> Place:
    """Return the first message that holds a reading of the span, by the roll-ups; else the first unrolled."""
    hours = RollUp.objects.filter(
        device_id=device.pk,
        ownership_period=device.ownership_period,
        hours=rolling.HOUR,
        start_us__gt=since_us - HOUR_US,
    )
    places = [Place(*row) for row in hours.values_list("first_epoch", "first_seq")]
    return min([*places, mark.floor])


def messages_from(device: Device, floor: Place) -> QuerySet[Message]:
    """Return the device's messages of this owner from a place on."""
    return Message.objects.filter(
        pk__gte=(device.pk, *floor),  # as one tuple, so that the key's index begins there
        device_id=device.pk,
        ownership_period=device.ownership_period,
        channel__in=CHANNELS,
    )
