"""Evidence that was brought for a device and waits for the rest."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.db.models import QuerySet

from doorstep.ownership.evidence import Evidence
from doorstep.ownership.label import LabelState, code_counts
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.custody.models import ClaimEvidence
from doorstep.server.fleet.models import Device

__all__ = ["DETAIL_CAP", "brought", "piece", "pieces", "stretch_of", "waiting"]

DETAIL_CAP: Final = 200


def stretch_of(device: Device) -> int:
    """Return a number that grows whenever the device gets or loses an owner."""
    return 2 * device.ownership_period - (device.owner_id is not None)


def pieces(device: Device, organisation: Organisation | None = None) -> QuerySet[ClaimEvidence]:
    """Return what counts now for claims on the device, oldest first; of one organisation or of all."""
    rows = ClaimEvidence.objects.filter(device=device, stretch=stretch_of(device)).order_by("at_us", "pk")
    return rows if organisation is None else rows.filter(organisation=organisation)


def brought(device: Device, organisation: Organisation) -> frozenset[Evidence]:
    """Return the kinds that an organisation has brought so far."""
    return _kinds(device, pieces(device, organisation))


def waiting(device: Device) -> Mapping[Organisation, tuple[User | None, frozenset[Evidence]]]:
    """Return who waits for the device, in the order in which they came: user and evidence of each."""
    rows: dict[Organisation, list[ClaimEvidence]] = {}
    for row in pieces(device).select_related("organisation", "user"):
        rows.setdefault(row.organisation, []).append(row)
    return {one: (brings[-1].user, _kinds(device, brings)) for one, brings in rows.items()}


def piece(  # noqa: PLR0913 - evidence is that many facts
    device: Device,
    organisation: Organisation,
    user: User | None,
    kind: Evidence,
    *,
    actor: str,
    now_us: int,
    detail: str = "",
) -> ClaimEvidence:
    """Make a row of evidence; nothing is stored."""
    return ClaimEvidence(
        device=device,
        organisation=organisation,
        user=user,
        stretch=stretch_of(device),
        kind=kind,
        actor=actor,
        detail=detail[:DETAIL_CAP],
        at_us=now_us,
    )


def _kinds(device: Device, rows: Iterable[ClaimEvidence]) -> frozenset[Evidence]:
    kinds = {Evidence(row.kind) for row in rows}
    if not code_counts(LabelState(device.label_state)):
        kinds.discard(Evidence.LABEL_CODE)
    return frozenset(kinds)
