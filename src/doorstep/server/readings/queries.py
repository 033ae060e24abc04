"""Readings for charts and lists: stored payloads are decoded here, capped, for one ownership period.

Whoever calls has already found the device for a principal; a period of another owner is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery

from doorstep.errors import MalformedMessage
from doorstep.messaging.legacy.formats import Format
from doorstep.server.fleet.models import Device
from doorstep.server.readings.models import DeadLetter, Message
from doorstep.wire import senml

__all__ = [
    "CHANNELS",
    "MAX_MESSAGES",
    "Point",
    "Window",
    "dead_letters",
    "last_arrival_us",
    "latest_of",
    "letters_of",
    "past_points",
    "points_of",
    "window_of",
]

MAX_MESSAGES: Final = 500
"""Newest messages that one answer decodes."""


CHANNELS: Final = ("data", *Format)
"""What holds readings: the sealed channel, and the legacy formats under their own names."""


@dataclass(frozen=True, slots=True)
class Point:
    """One reading with its absolute time."""

    name: str
    unit: str
    time_us: int
    value: float | bool | str
    channel: str = "data"

    @property
    def is_insecure(self) -> bool:
        """It came in a legacy format: anybody with one board's keys may have made it up."""
        return self.channel != "data"


@dataclass(frozen=True, slots=True)
class Window:
    """Readings oldest first, and where the next question goes on."""

    points: tuple[Point, ...]
    next_after_us: int


def window_of(device: Device, after_us: int = 0, limit: int = MAX_MESSAGES) -> Window:
    """Return the newest readings that arrived after ``after_us``, from at most ``limit`` messages."""
    if after_us >= (device.last_seen_us or 0):
        return Window((), after_us)
    rows = (
        Message.objects.filter(
            device_id=device.pk, ownership_period=device.ownership_period, channel__in=CHANNELS
        )
        .order_by("-epoch", "-seq")
        .values_list("payload", "received_us", "channel")[: min(limit, MAX_MESSAGES)]
    )
    # Cut here and not in SQL: an idle device's poll would else walk its whole history.
    fresh = [row for row in rows if row[1] > after_us]
    points = [point for row in reversed(fresh) for point in points_of(*row)]
    points.sort(key=lambda point: point.time_us)
    return Window(tuple(points), max((row[1] for row in fresh), default=after_us))


def past_points(device_pk: int, period: int, limit: int = MAX_MESSAGES) -> tuple[Point, ...]:
    """Return the newest readings of an ownership period that has ended, oldest first.

    The caller has found the period as one of the principal's own.
    """
    rows = Message.objects.filter(
        device_id=device_pk, ownership_period=period, channel__in=CHANNELS
    ).order_by("-epoch", "-seq")
    newest = rows.values_list("payload", "received_us", "channel")[: min(limit, MAX_MESSAGES)]
    points = [point for row in newest for point in points_of(*row)]
    return tuple(sorted(points, key=lambda point: point.time_us))


def last_arrival_us(device_pk: int) -> int | None:
    """Return when the last message that is stored had arrived, among the newest by number."""
    newest = Message.objects.filter(device_id=device_pk).order_by("-epoch", "-seq")
    return max(newest.values_list("received_us", flat=True)[:MAX_MESSAGES], default=None)


def latest_of(devices: Sequence[Device]) -> dict[int, tuple[Point, ...]]:
    """Return the readings of each device's newest data message by primary key; none, no entry."""
    newest = Message.objects.filter(
        device_id=OuterRef("pk"), ownership_period=OuterRef("ownership_period"), channel__in=CHANNELS
    ).order_by("-epoch", "-seq")
    rows = (
        Device.objects.filter(pk__in=[device.pk for device in devices])
        .annotate(
            newest_payload=Subquery(newest.values("payload")[:1]),
            newest_us=Subquery(newest.values("received_us")[:1]),
            newest_channel=Subquery(newest.values("channel")[:1]),
        )
        .exclude(newest_payload=None)
        .values_list("pk", "newest_payload", "newest_us", "newest_channel")
    )
    return {pk: points_of(*newest) for pk, *newest in rows}


def dead_letters(device_id: str = "") -> QuerySet[DeadLetter]:
    """Return refused messages and attempts, newest first; the caller is the maker's staff and pages them."""
    return letters_of(device_id).order_by("-at_us", "-pk")


def letters_of(device_id: str) -> QuerySet[DeadLetter]:
    """Return the dead letters that name a device, or all of them, in no order."""
    return DeadLetter.objects.filter(device_id=device_id) if device_id else DeadLetter.objects.all()


def points_of(payload: bytes | memoryview, received_us: int, channel: str = "data") -> tuple[Point, ...]:
    """Return the readings of a stored payload."""
    try:
        readings = senml.decode(bytes(payload))
    except MalformedMessage:  # ingest checked it; a row written by other hands must not break a page
        return ()
    arrived = received_us / 1_000_000
    return tuple(
        Point(
            reading.name,
            reading.unit or "",
            int(senml.absolute_time(reading, arrived) * 1_000_000),
            reading.value,
            channel,
        )
        for reading in readings
    )
