"""Works through what devices sent: hours and days for charts, and thresholds. The jobs role runs it.

No message costs more by it: it reads what ingest stored, by the key of the table, a device at a time.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from doorstep.errors import MalformedMessage
from doorstep.messaging.replay import signed_window, unsigned_window
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device
from doorstep.server.readings.alerting import judge, judge_silence
from doorstep.server.readings.models import RollUpMark, Threshold
from doorstep.server.readings.queries import CHANNELS
from doorstep.server.readings.rolling import BEFORE_ALL, Bucket, Key, Mark, Place, add, advance
from doorstep.wire import senml

__all__ = ["DIGEST_EVERY_S", "Fresh", "digest", "fresh_rows", "mark_of", "roll_up"]

DIGEST_EVERY_S: Final = 10.0
_ROLL_EVERY_US: Final = 600 * 1_000_000
"""A device without thresholds is rolled up so often; until then charts fold its newest messages."""
_LATE_US: Final = 2_000_000
"""Ingest notes a device's last time at most once a second, so what came right behind it may be unnoticed."""
_DEVICES_LOOKED_UP: Final = 5_000
_DEVICES_AT_ONCE: Final = 200
"""In one transaction."""
_MESSAGES_AT_ONCE: Final = 5_000
"""Of one device; more than a window is wide, or no step would get on."""

_FRESH: Final = (
    "SELECT epoch, seq, received_us, ownership_period, payload FROM message"  # noqa: S608 - our own words
    f" WHERE device_id = %s AND channel IN ({', '.join(['%s'] * len(CHANNELS))}) AND "
)
_UPSERT: Final = (
    "INSERT INTO roll_up (device_id, ownership_period, hours, start_us, name, unit, count, total, low, high,"
    " first_epoch, first_seq, last_epoch, last_seq)"
    " VALUES {rows} ON CONFLICT (device_id, ownership_period, hours, start_us, name) DO UPDATE SET"
    " unit = excluded.unit, count = roll_up.count + excluded.count, total = roll_up.total + excluded.total,"
    " low = CASE WHEN excluded.low < roll_up.low THEN excluded.low ELSE roll_up.low END,"
    " high = CASE WHEN excluded.high > roll_up.high THEN excluded.high ELSE roll_up.high END,"
    " first_epoch = CASE WHEN (excluded.first_epoch, excluded.first_seq) < (roll_up.first_epoch,"
    " roll_up.first_seq) THEN excluded.first_epoch ELSE roll_up.first_epoch END,"
    " first_seq = CASE WHEN (excluded.first_epoch, excluded.first_seq) < (roll_up.first_epoch,"
    " roll_up.first_seq) THEN excluded.first_seq ELSE roll_up.first_seq END,"
    " last_epoch = CASE WHEN (excluded.last_epoch, excluded.last_seq) > (roll_up.last_epoch,"
    " roll_up.last_seq) THEN excluded.last_epoch ELSE roll_up.last_epoch END,"
    " last_seq = CASE WHEN (excluded.last_epoch, excluded.last_seq) > (roll_up.last_epoch,"
    " roll_up.last_seq) THEN excluded.last_seq ELSE roll_up.last_seq END"
)
_ROW: Final = f"({', '.join(['%s'] * 14)})"
_ROWS_AT_ONCE: Final = 500
"""In one statement; both databases take so many parameters."""
_STORE: Final = (
    "UPDATE roll_up_mark SET epoch = %s, high = %s, window_bits = %s, previous_epoch = %s,"
    " previous_high = %s, previous_bits = %s, seen_us = %s, rolled_us = %s WHERE device_id = %s"
)


@dataclass(frozen=True, slots=True)
class Fresh:
    """One stored message, decoded."""

    place: Place
    received_us: int
    period: int
    readings: tuple[tuple[int, senml.Reading], ...]
    """Each with its absolute time in microseconds."""


@dataclass(slots=True)
class _Work:
    """What one transaction stores."""

    buckets: dict[int, dict[Key, Bucket]] = field(default_factory=dict)
    marks: list[tuple[int | None, ...]] = field(default_factory=list)
    fresh: dict[int, list[Fresh]] = field(default_factory=dict)
    left: bool = False


def digest(now_us: int, budget_s: float = 2.0) -> bool:
    """Work through what is due for about ``budget_s``; return whether something is left."""
    judge_silence(now_us)
    deadline = time.monotonic() + budget_s
    left = False
    while devices := list(_due(now_us)[:_DEVICES_LOOKED_UP]):
        left = False
        for start in range(0, len(devices), _DEVICES_AT_ONCE):
            left = roll_up(devices[start : start + _DEVICES_AT_ONCE], now_us) or left
            if time.monotonic() > deadline:
                return left or start + _DEVICES_AT_ONCE < len(devices)
        if len(devices) < _DEVICES_LOOKED_UP and not left:
            break
    return left


def roll_up(devices: Sequence[Device], now_us: int) -> bool:
    """Work through some messages of each of these devices, each once; return whether any has more."""
    with transaction_in_turn():
        work = _Work()
        for row in _locked(devices):
            _roll(row, work, now_us)
        _store(work)
        watched = Threshold.objects.filter(device__in=list(work.fresh)).select_related("device__product")
        for threshold in watched:
            judge(threshold, work.fresh[threshold.device_id], now_us)
    return work.left


def _due(now_us: int) -> QuerySet[Device]:
    news = Q(rolled=None) | Q(last_seen_us__gt=F("rolled__seen_us"))
    watched = Exists(Threshold.objects.filter(device=OuterRef("pk")))
    soon = Q(rolled=None) | Q(rolled__rolled_us__lt=now_us - _ROLL_EVERY_US)
    just_done = Q(rolled__rolled_us=now_us)
    return (
        Device.objects.filter(news, soon | watched, last_seen_us__isnull=False)
        .exclude(just_done & Q(last_seen_us__gt=now_us - _LATE_US))
        .order_by(F("rolled__rolled_us").asc(nulls_first=True), "pk")
    )


def _locked(devices: Sequence[Device]) -> list[RollUpMark]:
    """Return the devices' marks, none that another worker holds; make those that are missing."""
    nothing = {"epoch": BEFORE_ALL.epoch, "high": BEFORE_ALL.high, "window_bits": 0}
    new = [RollUpMark(device=one, **nothing, seen_us=0, rolled_us=0) for one in devices]
    RollUpMark.objects.bulk_create(new, ignore_conflicts=True)
    skip = connection.features.has_select_for_update_skip_locked
    rows = RollUpMark.objects.select_for_update(skip_locked=skip, of=("self",)).select_related("device")
    return list(rows.filter(pk__in=[one.pk for one in devices]))


def _roll(row: RollUpMark, work: _Work, now_us: int) -> None:
    at = mark_of(row)
    rows = list(fresh_rows(row.device_id, at, _MESSAGES_AT_ONCE))
    buckets: dict[Key, Bucket] = {}
    fresh = []
    for one in rows:
        moved = advance(at, one.place)
        if moved is None:
            continue
        at = moved
        fresh.append(one)
        for time_us, reading in one.readings:
            add(buckets, one.period, one.place, time_us, reading)
    all_done = len(rows) < _MESSAGES_AT_ONCE
    work.left = work.left or not all_done
    # Read before the messages were: what came in between is taken the next time.
    seen = min(row.device.last_seen_us or 0, now_us - _LATE_US) if all_done else row.seen_us
    work.buckets[row.device_id] = buckets
    work.fresh[row.device_id] = fresh
    rolled_us = now_us if all_done else row.rolled_us
    work.marks.append((*_columns(at), seen, rolled_us, row.device_id))


def mark_of(row: RollUpMark | None) -> Mark:
    """Return a stored mark; without a row nothing is rolled up."""
    if row is None:
        return BEFORE_ALL
    window, previous = unsigned_window(row.window_bits), unsigned_window(row.previous_bits)
    return Mark(row.epoch, row.high, window, row.previous_epoch, row.previous_high, previous)


def fresh_rows(device_pk: int, at: Mark, limit: int) -> Iterator[Fresh]:
    """Yield the messages that a mark may not hold yet, those of the epoch before first."""
    if (late := at.previous_floor) is not None:
        yield from _rows(device_pk, "epoch = %s AND seq >= %s ORDER BY epoch, seq", late)
    yield from _rows(device_pk, "(epoch, seq) >= (%s, %s) ORDER BY epoch, seq LIMIT %s", (*at.floor, limit))


def _rows(device_pk: int, condition: str, values: Sequence[int]) -> Iterator[Fresh]:
    with connection.cursor() as cursor:
        cursor.execute(_FRESH + condition, [device_pk, *CHANNELS, *values])
        for epoch, seq, received_us, period, payload in cursor.fetchall():
            yield Fresh(Place(epoch, seq), received_us, period, _readings(bytes(payload), received_us))


def _readings(payload: bytes, received_us: int) -> tuple[tuple[int, senml.Reading], ...]:
    try:
        decoded = senml.decode(payload)
    except MalformedMessage:  # ingest checked it; a row written by other hands must not stop the others
        return ()
    arrived = received_us / 1_000_000
    return tuple((int(senml.absolute_time(one, arrived) * 1_000_000), one) for one in decoded)


def _columns(at: Mark) -> tuple[int | None, ...]:
    newest = (at.epoch, at.high, signed_window(at.window))
    return (*newest, at.previous_epoch, at.previous_high, signed_window(at.previous_window))


def _store(work: _Work) -> None:
    buckets = [row for pk, some in work.buckets.items() for row in _bucket_rows(pk, some)]
    with connection.cursor() as cursor:
        for start in range(0, len(buckets), _ROWS_AT_ONCE):
            some = buckets[start : start + _ROWS_AT_ONCE]
            sql = _UPSERT.format(rows=", ".join([_ROW] * len(some)))
            cursor.execute(sql, [value for row in some for value in row])
        if work.marks:
            cursor.executemany(_STORE, work.marks)


def _bucket_rows(device_pk: int, buckets: Mapping[Key, Bucket]) -> Iterator[tuple[int | float | str, ...]]:
    for key, one in buckets.items():
        yield (device_pk, *key, one.unit, one.count, one.total, one.low, one.high, *one.first, *one.last)
