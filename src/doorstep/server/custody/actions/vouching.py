"""The maker's staff look at a claim that waits."""

from doorstep.errors import MisuseError
from doorstep.ownership.claims import Decision, Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.server.custody.actions.bringing import bring, locked_device
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.evidence import DETAIL_CAP
from doorstep.server.custody.models import Claim
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["NoSuchClaim", "vouch", "vouch_for_claim"]


class NoSuchClaim(MisuseError):
    """No claim that waits has this number."""


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
    rows = Claim.objects.select_related("device", "organisation", "claimant")
    row = rows.filter(pk=number, decision=Outcome.HELD, device__owner=None).first()
    if row is None:
        raise NoSuchClaim(
            f"no claim that waits has the number {number}", next_step="Run: doorstep claim list"
        )
    return vouch(row.device, Claimant(row.organisation, row.claimant, by), reason, now_us)
