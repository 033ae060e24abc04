"""Hours and days of readings: each message once, in whatever order and portions it comes."""

import random

from hypothesis import given
from hypothesis import strategies as st

from doorstep.server.readings.limits import ThresholdKind, turn
from doorstep.server.readings.rolling import (
    BEFORE_ALL,
    DAY,
    HOUR,
    HOUR_US,
    LARGEST,
    Bucket,
    Key,
    Place,
    add,
    advance,
)
from doorstep.wire.senml import Reading


@given(st.lists(st.integers(0, 63), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_mark_takes_each_place_once_in_any_order(sequence: list[int], order: random.Random) -> None:
    places = [Place(4, seq) for seq in sequence] * 2
    order.shuffle(places)
    at, taken = BEFORE_ALL, []
    for place in places:
        if (moved := advance(at, place)) is not None:
            at = moved
            taken.append(place)
    assert sorted(taken) == sorted(Place(4, seq) for seq in sequence)


def test_mark_takes_late_messages_of_the_epoch_before() -> None:
    at = BEFORE_ALL
    for place in (Place(-1, 9), Place(1, 5), Place(2, 0)):
        moved = advance(at, place)
        assert moved is not None
        at = moved
    late = advance(at, Place(1, 4))
    assert late is not None
    assert late.floor == Place(2, -63)
    assert late.previous_floor == Place(1, -58)
    assert advance(late, Place(1, 4)) is None
    assert advance(late, Place(1, 5)) is None
    assert advance(late, Place(-1, 10)) is None, "older epochs are closed"


def test_mark_refuses_what_is_behind_its_window() -> None:
    at = advance(BEFORE_ALL, Place(1, 100))
    assert at is not None
    assert advance(at, Place(1, 36)) is None
    assert advance(at, Place(1, 37)) is not None


def test_bucket_holds_count_sum_and_extremes_of_hour_and_day() -> None:
    buckets: dict[Key, Bucket] = {}
    for number, value in enumerate((3.0, -1.0, 7.5)):
        reading = Reading("t", "Cel" if number else None, value, None)
        add(buckets, 1, Place(1, 2 - number), 25 * HOUR_US + number, reading)
    add(buckets, 1, Place(1, 3), 26 * HOUR_US, Reading("t", None, True, None))
    hour, day = buckets[Key(1, HOUR, 25 * HOUR_US, "t")], buckets[Key(1, DAY, 24 * HOUR_US, "t")]
    assert (hour.count, hour.total, hour.low, hour.high, hour.unit) == (3, 9.5, -1.0, 7.5, "Cel")
    assert (hour.first, hour.last) == (Place(1, 0), Place(1, 2))
    assert (day.count, day.total, day.last) == (4, 10.5, Place(1, 3))


def test_bucket_leaves_out_text_and_what_no_sum_holds() -> None:
    buckets: dict[Key, Bucket] = {}
    for value in ("open", LARGEST * 10, -LARGEST * 10):
        add(buckets, 1, Place(1, 0), 0, Reading("t", None, value, None))
    assert buckets == {}


def test_threshold_opens_and_closes_once_for_many_readings() -> None:
    for kind, limit, was_open, values, opened, closed in (
        (ThresholdKind.ABOVE, 30.0, False, [29.0, 30.0], None, False),
        (ThresholdKind.ABOVE, 30.0, False, [29.0, 31.0, 33.0], 31.0, False),
        (ThresholdKind.ABOVE, 30.0, False, [31.0, 29.0, 35.0, 28.0], 31.0, True),
        (ThresholdKind.ABOVE, 30.0, True, [31.0], None, False),
        (ThresholdKind.ABOVE, 30.0, True, [31.0, 30.0], None, True),
        (ThresholdKind.ABOVE, 30.0, True, [], None, False),
        (ThresholdKind.BELOW, 2.0, False, [2.0, 1.5], 1.5, False),
        (ThresholdKind.BELOW, 2.0, True, [5.0], None, True),
    ):
        assert turn(kind, limit, is_open=was_open, values=values) == (opened, closed), (kind, values)
