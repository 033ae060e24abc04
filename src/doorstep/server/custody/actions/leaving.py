"""What ends when a device leaves its owner, and what begins with the next. The caller locked the rows."""

from dataclasses import dataclass
from typing import Final

from doorstep.ownership.handovers import DataChoice, Offered
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step, advance
from doorstep.server import clock
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.actions.data_jobs import begin_job
from doorstep.server.custody.changing import Handover, PastOwnership
from doorstep.server.fleet.actions import nudge_later, void_tokens
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.rotation import CannotRotate, change_owner_root
from doorstep.server.readings.queries import last_arrival_us

__all__ = ["Leaving", "Taking", "end_period", "locked", "offered", "take_over"]

_REASON: Final = "The device changed hands."


@dataclass(frozen=True, slots=True)
class Leaving:
    """How an ownership period ends."""

    how: str
    """``transfer``, ``return``, ``swap``, ``scrap`` or ``dispute``."""
    data: DataChoice
    by: str
    """As the ledger names them."""
    replacement: Device | None = None


@dataclass(frozen=True, slots=True)
class Taking:
    """How an ownership period begins."""

    organisation: Organisation
    by: str
    evidence: str
    """What stands in the ledger for it."""
    alias: str = ""
    step: Step = Step.BIND


def locked(device: Device) -> Device:
    """Return the device's row, locked until the transaction ends."""
    rows = Device.objects.select_for_update(of=("self",)).select_related("product", "batch", "owner")
    return rows.get(pk=device.pk)


def offered(row: Device) -> Offered:
    """Return what the core asks about a device that is to leave its owner."""
    return Offered(
        life=Life(row.life),
        blocked=row.blocked,
        disputed=row.disputed,
        offered=Handover.objects.filter(device=row, state="offered").exists(),
    )


def end_period(row: Device, leaving: Leaving, now_us: int) -> PastOwnership:
    """End what the owner had: certificates, tokens, sessions, queued messages, place and name.

    The row is changed and not yet stored, and is still the owner's: the caller takes the step of its life.
    """
    assert row.owner_id is not None  # somebody had it
    past = PastOwnership.objects.create(
        device=row,
        period=row.ownership_period,
        organisation_id=row.owner_id,
        alias=row.alias,
        ended_us=now_us,
        ended_by=leaving.how,
        data=leaving.data,
        replacement=leaving.replacement,
    )
    begin_job(past, leaving.by, now_us)
    row.credentials.filter(state="active").update(state="superseded", ended_us=now_us)
    void_tokens(row, now_us)
    Revocation.objects.create(
        device=row,
        reason=_REASON,
        asked_by=leaving.by,
        asked_us=now_us,
        # Ingest stores under this row's lock, so what it stored for this owner it has committed by now.
        effective_us=max(now_us, clock.now_us()),
        last_accepted_us=last_arrival_us(row.pk),
        handover=True,
    )
    nudge_later()
    row.alias, row.gateway, row.site, row.setup_released_us = "", None, None, None
    row.generation += 1
    if leaving.data is not DataChoice.HAND_OVER:
        row.last_seen_us = None
    return past


def take_over(row: Device, taking: Taking, now_us: int) -> list[tuple[int, Event]]:
    """Give a device its next owner, store it, and shut copies of its sealed root out.

    Returns the ledger's events. Raises IllegalTransition.
    """
    row.life = advance(Life(row.life), taking.step)
    row.owner = taking.organisation
    row.ownership_period += 1
    row.generation += 1
    row.alias, row.disputed, row.claims_waiting = taking.alias, False, False
    row.save()
    _mix_root(row, taking.by, now_us)
    detail: dict[str, str | int] = {
        "organisation": taking.organisation.pk,
        "period": row.ownership_period,
        "evidence": taking.evidence,
        "policy": "",
    }
    return [(row.pk, Event(Kind.OWNED, row.device_id, taking.by, detail))]


def _mix_root(row: Device, by: str, now_us: int) -> None:
    try:
        change_owner_root(row, by, now_us=now_us)
    except CannotRotate:
        # Its root stays for life; the former owner never had it, and its messages are the new owner's now.
        return
