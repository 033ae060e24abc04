"""People decide about a device that looks wrong: shut it out for now, or find it in order."""

from django.db import transaction

from doorstep.ownership.standing import StandingStep
from doorstep.server import clock
from doorstep.server.custody import ledger
from doorstep.server.fleet.actions import nudge_later, plain_reason, take_step
from doorstep.server.fleet.challenges import open_challenge
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.trust import StandingChange
from doorstep.server.readings.queries import last_arrival_us

__all__ = ["clear_device", "history_of", "quarantine_device"]

_SHOWN = 100


def quarantine_device(device: Device, by: str, reason: str, *, now_us: int) -> Device:
    """Accept nothing of a device until somebody decides; its certificates are kept.

    Raises IllegalTransition for one that is shut out already, MisuseError for an empty reason.
    """
    reason = plain_reason(reason)
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        ledger.append(take_step(row, StandingStep.QUARANTINE, reason, by=by, now_us=now_us), now_us)
        Revocation.objects.create(
            device=row,
            reason=reason,
            asked_by=by,
            asked_us=now_us,
            effective_us=max(now_us, clock.now_us()),
            last_accepted_us=last_arrival_us(row.pk),
            quarantine=True,
        )
        nudge_later()
    return row


def clear_device(device: Device, by: str, reason: str, *, now_us: int) -> Device:
    """End a suspicion or a quarantine; whoever renewed last goes on, and others may renew again.

    Raises IllegalTransition for a device that is neither, MisuseError for an empty reason.
    """
    reason = plain_reason(reason)
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        ledger.append(take_step(row, StandingStep.CLEAR, reason, by=by, now_us=now_us), now_us)
        asked = open_challenge(row)
        if asked is not None:
            asked.closed_us = now_us
            asked.save(update_fields=["closed_us"])
        row.must_renew = False
        row.save(update_fields=["must_renew"])
    return row


def history_of(device: Device) -> list[StandingChange]:
    """Return how a device's standing changed, newest first."""
    return list(device.standing_changes.order_by("-at_us", "-pk")[:_SHOWN])
