"""The maker's staff look at a claim that waits."""

from django.db.models import QuerySet

from doorstep.errors import MisuseError
from doorstep.ownership.claims import Decision, Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.server.audit.notes import about
from doorstep.server.custody.actions.bringing import bring, locked_device
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.evidence import DETAIL_CAP
from doorstep.server.custody.models import Claim
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["NoSuchClaim", "held_claim", "held_claims", "vouch", "vouch_for_claim"]


class NoSuchClaim(MisuseError):
    """No claim that waits has this number."""


def held_claims() -> QuerySet[Claim]:
    """Return claims that wait for a decision: held, and of a device that still has no owner; newest first."""
    return (
        Claim.objects.filter(decision=Outcome.HELD, device__owner=None)
        .select_related("device__product", "organisation", "claimant")
        .order_by("-at_us")
    )


def held_claim(number: int) -> Claim:
    """Return one of them; raise NoSuchClaim."""
    row = held_claims().filter(pk=number).first()
    if row is None:
        raise NoSuchClaim(
            f"no claim that waits has the number {number}", next_step="List the claims that wait first."
        )
    about(row.device.device_id, None, row.organisation)
    return row


def vouch(device: Device, claimant: Claimant, reason: str, now_us: int) -> Decision:
    """Take the word of the maker's staff that a device is this claimant's; the actor is the staff's.

    The policy still decides: where staff alone does not suffice, the claim goes on waiting. For a device
    that has an owner it opens a dispute. Raises MisuseError without a reason.
    """
    reason = " ".join(reason.split())[:DETAIL_CAP]
    if not reason:
        raise MisuseError("a claim is vouched for with a reason", next_step="Say how you know.")
    with transaction_in_turn():
        row = locked_device(pk=device.pk)
        assert row is not None  # devices are never deleted
        return bring(row, claimant, Evidence.STAFF, now_us=now_us, detail=reason)


def vouch_for_claim(number: int, reason: str, by: str, now_us: int) -> Decision:
    """Vouch for the claimant of a held claim; raise NoSuchClaim, also when it waits no more."""
    row = held_claim(number)
    return vouch(row.device, Claimant(row.organisation, row.claimant, by), reason, now_us)
