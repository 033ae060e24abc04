"""What else belongs to an ownership period besides messages: erased with them, or handed over."""

from django.conf import settings
from django.db.models import F

from doorstep.server.channels.models import DesiredSettings, DeviceEvent, Downlink, ReportedState
from doorstep.server.channels.queries import desired_context
from doorstep.server.fleet.models import Device
from doorstep.server.readings.models import Alert, RollUp

__all__ = ["erase_others", "move_roll_ups"]


def erase_others(device: Device, period: int, until_us: int) -> int:
    """Erase the commands, settings, events and alerts of a period, and what is derived; return how many.

    Derived roll-ups are erased and not counted: they said nothing that the messages did not.
    """
    of_period = {"device_id": device.pk, "ownership_period": period}
    RollUp.objects.filter(**of_period).delete()
    erased = [
        DeviceEvent.objects.filter(**of_period, received_us__lte=until_us).delete(),
        ReportedState.objects.filter(**of_period, received_us__lte=until_us).delete(),
        Downlink.objects.filter(**of_period, closed_us__lte=until_us).delete(),
        Alert.objects.filter(**of_period, opened_us__lte=until_us).delete(),
    ]
    return sum(count for count, _ in erased) + _blank_settings(device, period)


def _blank_settings(device: Device, period: int) -> int:
    """Empty what a former owner wanted; the row stays, because its version must go on growing."""
    if device.ownership_period == period and device.owner_id is not None:
        return 0
    empty = settings.KEY_FILE.wrap(b"{}", desired_context(device))
    return DesiredSettings.objects.filter(device_id=device.pk, ownership_period=period).update(settings=empty)


def move_roll_ups(device: Device, period: int, next_period: int) -> None:
    """Give a period's roll-ups to the next one, joined where both have readings of the same hour or day."""
    theirs = RollUp.objects.filter(device_id=device.pk, ownership_period=next_period)
    known = {(row.hours, row.start_us, row.name): row for row in theirs}
    former = RollUp.objects.filter(device_id=device.pk, ownership_period=period)
    for row in former:
        kept = known.get((row.hours, row.start_us, row.name))
        if kept is not None:
            _join(kept, row)
            RollUp.objects.filter(pk=row.pk).delete()
    former.update(ownership_period=next_period)


def _join(kept: RollUp, other: RollUp) -> None:
    first = min((kept.first_epoch, kept.first_seq), (other.first_epoch, other.first_seq))
    last = max((kept.last_epoch, kept.last_seq), (other.last_epoch, other.last_seq))
    RollUp.objects.filter(pk=kept.pk).update(
        count=F("count") + other.count,
        total=F("total") + other.total,
        low=min(kept.low, other.low),
        high=max(kept.high, other.high),
        first_epoch=first[0],
        first_seq=first[1],
        last_epoch=last[0],
        last_seq=last[1],
    )
