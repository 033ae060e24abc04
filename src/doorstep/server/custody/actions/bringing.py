"""Somebody brings a piece of evidence for a device; what they brought before counts with it."""

from doorstep.ownership.claims import Decision
from doorstep.ownership.evidence import Evidence
from doorstep.server.custody.actions.claiming import Claimant, file_claims, filing_for
from doorstep.server.custody.evidence import piece
from doorstep.server.custody.models import ClaimEvidence
from doorstep.server.fleet.models import Device

__all__ = ["bring", "keep_piece", "locked_device"]


def locked_device(**named: object) -> Device | None:
    """Lock the one device that is named, with what judging needs; None when there is none."""
    rows = Device.objects.select_for_update(of=("self",)).select_related("product", "batch")
    return rows.filter(**named).first()


def bring(device: Device, claimant: Claimant, kind: Evidence, *, now_us: int, detail: str = "") -> Decision:
    """Keep a piece of evidence and judge the claimant's claim again; the caller locked the device.

    The same piece again changes nothing.
    """
    keep_piece(device, claimant, kind, now_us=now_us, detail=detail)
    [decision] = file_claims([filing_for(device, claimant)], now_us)
    return decision


def keep_piece(device: Device, claimant: Claimant, kind: Evidence, *, now_us: int, detail: str = "") -> None:
    """Keep a piece of evidence for the claim that is still to come; the caller locked the device."""
    row = piece(
        device,
        claimant.organisation,
        claimant.user,
        kind,
        actor=claimant.actor,
        now_us=now_us,
        detail=detail,
    )
    ClaimEvidence.objects.bulk_create([row], ignore_conflicts=True)
    if device.owner_id is None and not device.claims_waiting:
        device.claims_waiting = True
        device.save(update_fields=["claims_waiting"])
