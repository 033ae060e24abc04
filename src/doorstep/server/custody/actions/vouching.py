"""The maker's staff look at a claim that waits."""

from doorstep.errors import MisuseError
from doorstep.ownership.claims import Decision
from doorstep.ownership.evidence import Evidence
from doorstep.server.custody.actions.bringing import bring, locked_device
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.evidence import DETAIL_CAP
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["vouch"]


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
