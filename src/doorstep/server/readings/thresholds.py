"""Thresholds and alerts as somebody sees and changes them. Who calls has found the device for a principal."""

from typing import Final

from django.db.models import F, QuerySet

from doorstep.errors import MisuseError, RefusedError
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.visible import Sees, devices_visible_to
from doorstep.server.readings.limits import ThresholdKind
from doorstep.server.readings.models import Alert, RollUp, Threshold
from doorstep.server.readings.queries import latest_of
from doorstep.server.readings.rolling import DAY

__all__ = [
    "LEAST_MINUTES",
    "MOST_MINUTES",
    "MOST_THRESHOLDS",
    "NoSuchThreshold",
    "add_threshold",
    "alerts_of",
    "alerts_seen",
    "names_of",
    "remove_threshold",
    "thresholds_of",
]

MOST_THRESHOLDS: Final = 20
"""Of one device."""
LEAST_MINUTES: Final = 2
MOST_MINUTES: Final = 30 * 24 * 60
"""Of silence: a month."""
_MOST_NAMES: Final = 64


class NoSuchThreshold(RefusedError):
    """The device has no such threshold of its owner's."""

    def __init__(self) -> None:
        super().__init__("the device has no threshold of this number", next_step="List its thresholds first.")


def thresholds_of(device: Device) -> QuerySet[Threshold]:
    """Return what the device's owner watches of it."""
    return Threshold.objects.filter(device=device, organisation=device.owner_id).order_by(
        "name", "value", "pk"
    )


def add_threshold(  # noqa: PLR0913 - each is a field of it
    device: Device, kind: ThresholdKind, name: str, value: float, *, mail: bool, by: str, now_us: int
) -> Threshold:
    """Watch a device from now on; raise MisuseError for what can't be watched, or is too much."""
    if kind is ThresholdKind.SILENT and not (
        float(value).is_integer() and LEAST_MINUTES <= value <= MOST_MINUTES
    ):
        raise MisuseError(
            f"nobody watches for {value:g} minutes of silence",
            next_step=f"Give whole minutes, from {LEAST_MINUTES} to {MOST_MINUTES}.",
        )
    if kind is not ThresholdKind.SILENT and name not in names_of(device):
        raise MisuseError(
            f"{device} sends no number {name[:40]!a}", next_step="Name one of the readings that it sent."
        )
    if device.owner is None or thresholds_of(device).count() >= MOST_THRESHOLDS:
        raise MisuseError(
            f"{device} has {MOST_THRESHOLDS} thresholds already", next_step="Remove one that nobody needs."
        )
    return Threshold.objects.create(
        organisation=device.owner,
        device=device,
        kind=kind,
        name="" if kind is ThresholdKind.SILENT else name,
        value=value,
        mail=mail,
        created_by=by,
        created_us=now_us,
    )


def remove_threshold(device: Device, number: int, now_us: int) -> None:
    """Watch it no longer, and close its alert; raise NoSuchThreshold."""
    threshold = thresholds_of(device).filter(pk=number).first()
    if threshold is None:
        raise NoSuchThreshold
    threshold.alerts.filter(closed_us=None).update(closed_us=now_us)
    threshold.delete()


def alerts_of(device: Device) -> QuerySet[Alert]:
    """Return a device's alerts of its present owner, newest first."""
    rows = Alert.objects.filter(device=device, organisation=device.owner_id)
    return rows.filter(ownership_period=device.ownership_period).order_by("-opened_us", "-pk")


def alerts_seen(somebody: Sees) -> QuerySet[Alert]:
    """Return the alerts of the devices that somebody sees."""
    rows = Alert.objects.filter(
        organisation=somebody.organisation,
        device__owner=F("organisation"),
        device__ownership_period=F("ownership_period"),
    ).select_related("device__product")
    if somebody.groups is None:
        return rows
    return rows.filter(device__in=devices_visible_to(somebody).order_by().values("pk"))


def names_of(device: Device) -> list[str]:
    """Return the names of the numbers that a device sends, as far as is known."""
    newest = {
        point.name for point in latest_of([device]).get(device.pk, ()) if not isinstance(point.value, str)
    }
    rolled = RollUp.objects.filter(device_id=device.pk, ownership_period=device.ownership_period, hours=DAY)
    older = rolled.order_by("-start_us").values_list("name", flat=True)[:_MOST_NAMES]
    return sorted({*newest, *older})[:_MOST_NAMES]
