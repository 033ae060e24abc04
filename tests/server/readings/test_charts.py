"""Lines for charts: from messages, from roll-ups, and from both at once."""

import json

import pytest

from doorstep.server.fleet.models import Device
from doorstep.server.readings.charts import Line, Span, lines_of
from doorstep.server.readings.digest import digest
from doorstep.server.readings.models import Message, RollUp
from tests.server import making

pytestmark = pytest.mark.usefixtures("rolled_back")

_HOUR = 3_600_000_000
_NOW = 500_000 * _HOUR + 20 * 60_000_000


def _device(hours: int, per_hour: int) -> Device:
    """A device that sent a rising number, the newest a moment ago."""
    _, organisation = making.customer()
    device = making.devices(1)[0].row
    step = _HOUR // per_hour
    count = hours * per_hour
    Message.objects.bulk_create(
        Message(
            device=device, epoch=1, seq=seq, channel="data", received_us=_NOW - (count - 1 - seq) * step,
            ownership_period=1, reading_count=1,
            payload=json.dumps([{"n": "t", "v": seq, "u": "Cel"}, {"n": "text", "vs": "x"}]).encode(),
        )
        for seq in range(count)
    )  # fmt: skip
    Device.objects.filter(pk=device.pk).update(owner=organisation, ownership_period=1, last_seen_us=_NOW)
    return Device.objects.get(pk=device.pk)


def _only(lines: list[Line]) -> Line:
    (line,) = lines
    assert (line.name, line.unit) == ("t", "Cel")
    return line


@pytest.mark.parametrize("rolled", [False, True])
def test_every_span_is_whole_with_and_without_roll_ups(rolled: bool) -> None:  # noqa: FBT001 - a parameter
    device = _device(hours=24 * 9, per_hour=4)
    if rolled:
        digest(_NOW)
    hour, day = _only(lines_of(device, Span.HOUR, _NOW)), _only(lines_of(device, Span.DAY, _NOW))
    assert [dot.mean for dot in hour.dots] == [860, 861, 862, 863]
    assert len(day.dots) == 96
    week, year = _only(lines_of(device, Span.WEEK, _NOW)), _only(lines_of(device, Span.YEAR, _NOW))
    assert len(week.dots) == 169
    assert [(dot.low, dot.high) for dot in week.dots[-2:]] == [(858, 861), (862, 863)]
    assert len(year.dots) == 10
    assert year.dots[-1].high == 863
    assert len(_only(lines_of(device, Span.MONTH, _NOW)).dots) == 24 * 9 + 1


def test_newest_messages_join_the_hour_that_is_rolled_up() -> None:
    device = _device(hours=3, per_hour=60)
    digest(_NOW)
    Message.objects.create(
        device=device, epoch=1, seq=180, channel="data", received_us=_NOW, ownership_period=1,
        reading_count=1, payload=b'[{"n": "t", "v": 1000, "u": "Cel"}]',
    )  # fmt: skip
    week = _only(lines_of(device, Span.WEEK, _NOW))
    assert week.dots[-1].high == 1000
    assert RollUp.objects.filter(device=device, high=1000).count() == 0


def test_a_talkative_device_is_thinned_evenly() -> None:
    device = _device(hours=2, per_hour=3600)
    digest(_NOW)
    line = _only(lines_of(device, Span.HOUR, _NOW))
    assert 300 <= len(line.dots) <= 720
    steps = {after.time_us - before.time_us for before, after in zip(line.dots, line.dots[1:], strict=False)}
    assert len(steps) == 1


def test_readings_of_a_former_owner_are_in_no_line() -> None:
    device = _device(hours=30, per_hour=2)
    digest(_NOW)
    Device.objects.filter(pk=device.pk).update(ownership_period=2)
    fresh = Device.objects.get(pk=device.pk)
    assert [lines_of(fresh, span, _NOW) for span in Span] == [[]] * 5


def test_only_what_is_asked_for_is_drawn() -> None:
    device = _device(hours=30, per_hour=2)
    assert [lines_of(device, span, _NOW, ["u"]) for span in Span] == [[]] * 5
