"""Changes to devices that are not about who owns them: blocked, and how far they are trusted."""

from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from doorstep.errors import MisuseError
from doorstep.ownership.ledger import TEXT_CAP, Event, Kind
from doorstep.ownership.standing import Standing, StandingStep, is_shut_out, judge
from doorstep.runtime.control import nudge
from doorstep.server import clock
from doorstep.server.custody import ledger
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.trust import BlockEntry, StandingChange
from doorstep.server.readings.queries import last_arrival_us

__all__ = [
    "PLATFORM",
    "block_row",
    "end_sessions",
    "nudge_later",
    "plain_reason",
    "revoke_device",
    "take_step",
    "void_tokens",
]

PLATFORM: Final = "platform"
"""The actor of what nobody asked for."""

_KINDS: Final = {
    StandingStep.SUSPECT: Kind.SUSPECTED,
    StandingStep.QUARANTINE: Kind.QUARANTINED,
    StandingStep.CLEAR: Kind.CLEARED,
    StandingStep.BLOCK: Kind.BLOCKED,
    StandingStep.LIFT: Kind.UNBLOCKED,
}


def revoke_device(device: Device, by: str, reason: str, *, now_us: int) -> Revocation:
    """Block a device: from the commit on nothing of it is accepted; the broker role kicks and purges at once.

    ``by`` is the actor as the ledger names it. A device that was revoked already keeps its first revocation,
    which is returned. Raises MisuseError for an empty or overlong reason.
    """
    reason = plain_reason(reason)
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        known = (
            row.revocations.filter(block=None, quarantine=False, handover=False).order_by("-asked_us").first()
        )
        if row.standing == Standing.BLOCKED and known is not None:
            return known
        revocation, events = block_row(row, by, reason, now_us=now_us)
        ledger.append(events, now_us)
        nudge_later()
    return revocation


def block_row(
    row: Device, by: str, reason: str, *, now_us: int, entry: BlockEntry | None = None
) -> tuple[Revocation, list[tuple[int, Event]]]:
    """Block a device whose row the caller locked; return the broker's order, and the ledger's events."""
    events = []
    if row.standing != Standing.BLOCKED:
        events = take_step(row, StandingStep.BLOCK, reason, by=by, now_us=now_us)
    row.credentials.exclude(state="revoked").update(state="revoked", ended_us=now_us)
    void_tokens(row, now_us)
    revocation = Revocation.objects.create(
        device=row,
        reason=reason,
        asked_by=by,
        asked_us=now_us,
        # Ingest stores under this row's lock, so what it stored for this device it has committed by now.
        effective_us=max(now_us, clock.now_us()),
        last_accepted_us=last_arrival_us(row.pk),
        block=entry,
    )
    return revocation, events


def end_sessions(devices: Iterable[Device], by: str, reason: str, *, now_us: int) -> None:
    """Have the broker close what these devices have open and purge what waits in their name; they go on."""
    Revocation.objects.bulk_create(
        Revocation(device=row, reason=reason, asked_by=by, asked_us=now_us, handover=True) for row in devices
    )
    nudge_later()


def take_step(  # noqa: PLR0913 - a step has this many facts
    row: Device, step: StandingStep, sentence: str, *, by: str, now_us: int, evidence: str = ""
) -> list[tuple[int, Event]]:
    """Move a device whose row the caller locked, and record why; return the ledger's events.

    Raises IllegalTransition. ``sentence`` is what the owner reads.
    """
    before = Standing(row.standing)
    after = judge(before, step)
    row.standing, row.blocked = after, is_shut_out(after)
    if is_shut_out(before) != is_shut_out(after):
        row.generation += 1
    row.save(update_fields=["standing", "blocked", "generation"])
    StandingChange.objects.create(
        device=row,
        at_us=now_us,
        before=before,
        after=after,
        step=step,
        evidence=evidence,
        sentence=sentence,
        by=by,
    )
    event = Event(_KINDS[step], row.device_id, by, {"reason": sentence[:TEXT_CAP]})
    return [(row.pk, event)]


def plain_reason(reason: str) -> str:
    """Return a reason as it is kept, in one line; raise MisuseError when it is empty or too long."""
    reason = " ".join("".join(char for char in reason if char.isprintable() or char.isspace()).split())
    if not 0 < len(reason) <= TEXT_CAP:
        raise MisuseError(f"a reason has 1 to {TEXT_CAP} characters", next_step="Say why.")
    return reason


def nudge_later() -> None:
    """Make the broker role look for work once this transaction is committed."""
    transaction.on_commit(lambda: nudge(settings.DOORSTEP, settings.KEY_FILE))


def void_tokens(device: Device, now_us: int) -> None:
    """End the registration tokens that this device used, or that its code was typed for."""
    theirs = RegistrationToken.objects.filter(Q(used_by=device) | Q(code_device=device))
    theirs.filter(expires_at_us__gt=now_us).update(expires_at_us=now_us)
