"""Opens and closes alerts, and tells people. Called for batches of readings, never for a message."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from doorstep.server.accounts.models import Member, Role
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.jobs.actions import send_mail_later
from doorstep.server.readings.limits import MAIL_EVERY_US, ThresholdKind, turn
from doorstep.server.readings.models import Alert, Threshold
from doorstep.server.readings.words import label_of, number_of
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.outbox import emit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorstep.server.readings.digest import Fresh

__all__ = ["judge", "judge_silence", "sentence_of"]

_MINUTE_US = 60 * 1_000_000
_TOLD = (Role.OWNER, Role.ADMIN, Role.OPERATOR)


def judge(threshold: Threshold, fresh: "Sequence[Fresh]", now_us: int) -> None:
    """Hold new messages of a device against a threshold of its owner."""
    if threshold.kind == ThresholdKind.SILENT or threshold.organisation_id != threshold.device.owner_id:
        return
    values = _values(threshold, fresh)
    if not values:
        return
    at = threshold.alerts.filter(closed_us=None).select_related("device").first()
    numbers = [number for _time, number, _unit in values]
    done = turn(ThresholdKind(threshold.kind), threshold.value, is_open=at is not None, values=numbers)
    if done.opened is not None:
        value, unit = next(one[1:] for one in values if one[1] == done.opened)
        at = _open(threshold, now_us, value, unit)
    if done.closed and at is not None:
        _close(at, now_us)


def judge_silence(now_us: int) -> None:
    """Open alerts of devices that say nothing for too long, and close those of devices that speak again."""
    kept = Threshold.objects.filter(
        kind=ThresholdKind.SILENT, device__owner=F("organisation"), device__blocked=False
    )
    kept = kept.filter(device__last_seen_us__isnull=False).select_related("device__product")
    late = Q(device__last_seen_us__lt=now_us - F("value") * _MINUTE_US)
    for threshold in kept.filter(late).exclude(alerts__closed_us=None, alerts__isnull=False):
        with transaction_in_turn():
            _open(threshold, now_us, None, "")
    silent = Alert.objects.filter(kind=ThresholdKind.SILENT, closed_us=None).select_related("device")
    for alert in silent.exclude(threshold__in=kept.filter(late)):
        with transaction_in_turn():
            _close(alert, now_us)


def sentence_of(alert: Alert) -> str:
    """Say what happened, without the device's name."""
    words = {"name": label_of(alert.name), "limit": number_of(alert.limit, alert.unit)}
    if alert.kind == ThresholdKind.SILENT:
        return _("It sent nothing for %(limit)s minutes.") % words
    words["value"] = number_of(alert.value or 0.0, alert.unit)
    if alert.kind == ThresholdKind.ABOVE:
        return _("%(name)s was %(value)s, above %(limit)s.") % words
    return _("%(name)s was %(value)s, below %(limit)s.") % words


def _values(threshold: Threshold, fresh: "Iterable[Fresh]") -> list[tuple[int, float, str]]:
    period = threshold.device.ownership_period
    found = [
        (time_us, float(reading.value), reading.unit or "")
        for one in fresh
        if one.period == period and one.received_us >= threshold.created_us
        for time_us, reading in one.readings
        if reading.name == threshold.name and not isinstance(reading.value, str)
    ]
    return sorted(found)


def _open(threshold: Threshold, now_us: int, value: float | None, unit: str) -> Alert:
    alert = Alert.objects.create(
        threshold=threshold,
        organisation_id=threshold.organisation_id,
        device=threshold.device,
        ownership_period=threshold.device.ownership_period,
        kind=threshold.kind,
        name=threshold.name,
        limit=threshold.value,
        value=value,
        unit=unit,
        opened_us=now_us,
    )
    if threshold.mail and threshold.told_us <= now_us - MAIL_EVERY_US:
        Threshold.objects.filter(pk=threshold.pk).update(told_us=now_us)
        _mail(alert)
    emit(EventType.ALERT_RAISED, alert.organisation_id, _payload(alert, now_us), now_us=now_us)
    return alert


def _close(alert: Alert, now_us: int) -> None:
    if Alert.objects.filter(pk=alert.pk, closed_us=None).update(closed_us=now_us):
        emit(EventType.ALERT_CLEARED, alert.organisation_id, _payload(alert, now_us), now_us=now_us)


def _payload(alert: Alert, now_us: int) -> dict[str, str | float | None]:
    return {
        "device_id": alert.device.device_id,
        "serial": alert.device.serial,
        "at_us": now_us,
        "alert": alert.pk,
        "kind": alert.kind,
        "name": alert.name,
        "limit": alert.limit,
        "value": alert.value,
        "unit": alert.unit,
    }


def _mail(alert: Alert) -> None:
    device = alert.device
    text = (
        f"{device} (serial {device.serial}): {sentence_of(alert)}\n\n"
        f"{settings.DOORSTEP.base_url}/devices/{device.device_id}/\n\n"
        "You get this because somebody in your organisation asked to be told. The device's page says who, and"
        " there you can change it. The same is mailed once an hour at most.\n"
    )
    for address in _told(alert.organisation_id):
        send_mail_later(address, f"{device}: {sentence_of(alert)}", text)


def _told(organisation: int) -> "QuerySet[Member, str]":
    people = Member.objects.filter(organisation=organisation, role__in=_TOLD)
    return people.values_list("user__email", flat=True)
