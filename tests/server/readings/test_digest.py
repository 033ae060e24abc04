"""What the jobs role makes of stored messages: roll-ups, each reading once, and alerts."""

import json

import pytest

from doorstep.server.accounts.models import Organisation, User
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.models import Job
from doorstep.server.readings.digest import digest
from doorstep.server.readings.models import Alert, Message, RollUp, Threshold
from doorstep.server.webhooks.actions import add_endpoint
from doorstep.server.webhooks.models import WebhookEvent
from tests.server import making

pytestmark = pytest.mark.usefixtures("rolled_back")

_NOW = 1_800_000_000_000_000
_MINUTE = 60_000_000


def _owned() -> tuple[Device, User, Organisation]:
    user, organisation = making.customer()
    device = making.devices(1)[0].row
    Device.objects.filter(pk=device.pk).update(owner=organisation, ownership_period=1, life="owned")
    return Device.objects.get(pk=device.pk), user, organisation


def _sent(device: Device, seq: int, at_us: int, *, epoch: int = 1, **values: float) -> None:
    Message.objects.create(
        device=device,
        epoch=epoch,
        seq=seq,
        channel="data",
        received_us=at_us,
        ownership_period=device.ownership_period,
        reading_count=len(values),
        payload=json.dumps(values).encode(),
    )
    Device.objects.filter(pk=device.pk).update(last_seen_us=at_us)


def _days(device: Device) -> list[tuple[int, float, float, float]]:
    rows = RollUp.objects.filter(device=device, hours=24, name="t")
    return list(rows.values_list("count", "total", "low", "high").order_by("start_us"))


def _watch(device: Device, organisation: Organisation, kind: str, value: float) -> Threshold:
    return Threshold.objects.create(
        organisation=organisation, device=device, kind=kind, name="" if kind == "silent" else "t",
        value=value, created_by="user:1", created_us=_NOW - 60 * _MINUTE,
    )  # fmt: skip


def test_digest_counts_each_message_once() -> None:
    device, _, _ = _owned()
    for seq in range(5):
        _sent(device, seq, _NOW - 30 * _MINUTE + seq, t=seq)
    assert not digest(_NOW)
    digest(_NOW + 20 * _MINUTE)
    assert _days(device) == [(5, 10.0, 0.0, 4.0)]
    _sent(device, 6, _NOW, t=-2.0)
    _sent(device, 0, _NOW + 1, t=9.0, epoch=2)
    digest(_NOW + 20 * _MINUTE)
    _sent(device, 5, _NOW + 2, t=100.0)  # late, of the epoch before
    digest(_NOW + 40 * _MINUTE)
    assert _days(device) == [(8, 117.0, -2.0, 100.0)]
    hours = RollUp.objects.filter(device=device, hours=1)
    assert sum(row.count for row in hours) == 8


def test_digest_leaves_a_device_in_peace_that_was_just_rolled_up() -> None:
    device, _, _ = _owned()
    _sent(device, 0, _NOW - _MINUTE, t=1.0)
    digest(_NOW)
    _sent(device, 1, _NOW + _MINUTE, t=1.0)
    digest(_NOW + 2 * _MINUTE)
    assert _days(device) == [(1, 1.0, 1.0, 1.0)]
    digest(_NOW + 11 * _MINUTE)
    assert _days(device) == [(2, 2.0, 1.0, 1.0)]


def test_digest_works_off_a_long_history_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.server.readings.digest._MESSAGES_AT_ONCE", 70)
    device, _, _ = _owned()
    for seq in range(150):
        _sent(device, seq, _NOW - _MINUTE, t=1.0)
    assert not digest(_NOW)
    assert _days(device) == [(150, 150.0, 1.0, 1.0)]


def test_digest_skips_a_payload_that_no_ingest_wrote() -> None:
    device, _, _ = _owned()
    _sent(device, 0, _NOW - _MINUTE, t=1.0)
    _sent(device, 1, _NOW - _MINUTE, t=2.0)
    Message.objects.filter(device=device, seq=0).update(payload=b"\xff")
    digest(_NOW)
    assert _days(device) == [(1, 2.0, 2.0, 2.0)]


def test_owner_is_told_once_an_hour_and_alert_closes_by_itself() -> None:
    device, user, organisation = _owned()
    _watch(device, organisation, "above", 30.0)
    add_endpoint(organisation, "https://example.org/hook", (), "", now_us=_NOW)
    for step, value in enumerate((25.0, 31.5, 29.0, 33.0)):
        _sent(device, step, _NOW + step * _MINUTE, t=value)
        digest(_NOW + step * _MINUTE + 3_000_000)
    alerts = list(Alert.objects.filter(device=device).order_by("pk"))
    assert [(alert.value, alert.closed_us is not None) for alert in alerts] == [(31.5, True), (33.0, False)]
    mails = [job.arguments for job in Job.objects.filter(kind="mail", arguments__to=user.email)]
    assert len(mails) == 1
    told = WebhookEvent.objects.filter(organisation=organisation).order_by("pk")
    assert [one.type for one in told] == ["alert.raised", "alert.cleared", "alert.raised"]
    assert "T was 31.5, above 30." in mails[0]["subject"]
    assert device.device_id in mails[0]["text"]


def test_threshold_of_a_former_owner_sees_nothing() -> None:
    device, _, organisation = _owned()
    _watch(device, organisation, "above", 30.0)
    _watch(device, organisation, "silent", 5)
    _, other = making.customer()
    Device.objects.filter(pk=device.pk).update(owner=other)
    _sent(device, 0, _NOW - 20 * _MINUTE, t=99.0)
    digest(_NOW)
    assert not Alert.objects.filter(device=device).exists()


def test_threshold_is_not_fed_with_what_was_before_it() -> None:
    device, _, organisation = _owned()
    _watch(device, organisation, "above", 30.0)
    _sent(device, 0, _NOW - 90 * _MINUTE, t=99.0)
    digest(_NOW)
    assert not Alert.objects.filter(device=device).exists()


def test_silence_opens_an_alert_and_a_message_ends_it() -> None:
    device, _, organisation = _owned()
    _watch(device, organisation, "silent", 10)
    _sent(device, 0, _NOW, t=1.0)
    digest(_NOW + 9 * _MINUTE)
    assert not Alert.objects.filter(device=device).exists()
    for _ in range(2):
        digest(_NOW + 11 * _MINUTE)
    assert Alert.objects.filter(device=device, closed_us=None).count() == 1
    _sent(device, 1, _NOW + 12 * _MINUTE, t=1.0)
    digest(_NOW + 12 * _MINUTE)
    assert Alert.objects.get(device=device).closed_us == _NOW + 12 * _MINUTE
