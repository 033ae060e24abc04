"""What an organisation may see of disputes, offers, past devices, data jobs and documents.

Missing and forbidden look alike. Callers have checked the permission to read at all.
"""

from collections.abc import Iterator
from typing import TypeVar

from allauth.account.models import EmailAddress
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower

from doorstep.errors import RefusedError
from doorstep.ownership.cases import Party
from doorstep.ownership.handovers import HandoverState, Way
from doorstep.server.accounts.models import Organisation, OrganisationKind, User
from doorstep.server.audit.notes import about
from doorstep.server.custody.changing import CaseFile, DataJob, Handover, PastOwnership, SignedDocument
from doorstep.server.custody.models import Dispute

__all__ = [
    "NothingHere",
    "cases_of",
    "documents_of",
    "exported",
    "found",
    "jobs_of",
    "offers_of",
    "papers_for",
    "past_of",
]

Row = TypeVar("Row", bound=Model)


class NothingHere(RefusedError):
    """There is no such thing, or none that the caller may see."""


def found(rows: QuerySet[Row], number: int) -> Row:
    """Return the row with this number; raise NothingHere."""
    row = rows.filter(pk=number).first()
    if row is None:
        raise NothingHere("there is nothing here", next_step="Check the number, and for whom you act.")
    if isinstance(row, Dispute):
        about(row.device.device_id, row.owner_id, row.claim.organisation)
    elif isinstance(row, Handover):
        about(row.device.device_id, row.device.owner_id, row.giver)
    return row


def cases_of(organisation: Organisation) -> QuerySet[Dispute]:
    """Return every dispute for the maker; else those in which the organisation claims, owns or owned."""
    rows = Dispute.objects.select_related(
        "device__product", "claim__organisation", "claim__claimant", "owner"
    )
    if organisation.kind == OrganisationKind.MAKER:
        return rows
    return rows.filter(Q(claim__organisation=organisation) | Q(owner=organisation))


def papers_for(dispute: Dispute, party: Party) -> QuerySet[CaseFile]:
    """Return the papers that a side may read: its own, or all for the staff."""
    rows = CaseFile.objects.filter(dispute=dispute).defer("content").order_by("pk")
    return rows if party is Party.STAFF else rows.filter(party=party)


def offers_of(organisation: Organisation, user: User | None = None) -> QuerySet[Handover]:
    """Return offers that the organisation made or took, and open ones to the user's confirmed addresses.

    The maker sees every return.
    """
    rows = Handover.objects.select_related("device__product", "giver", "taker")
    if organisation.kind == OrganisationKind.MAKER:
        return rows.filter(way=Way.RETURN)
    seen = Q(giver=organisation) | Q(taker=organisation)
    if user is not None:
        confirmed = EmailAddress.objects.filter(user=user, verified=True).values_list(Lower("email"))
        seen |= Q(state=HandoverState.OFFERED, way=Way.TRANSFER, email__in=confirmed)
    return rows.filter(seen)


def past_of(organisation: Organisation) -> QuerySet[PastOwnership]:
    """Return the devices that the organisation had."""
    rows = PastOwnership.objects.select_related("device__product", "organisation", "replacement")
    return rows.filter(organisation=organisation)


def jobs_of(organisation: Organisation) -> QuerySet[DataJob]:
    """Return the data jobs about the organisation's readings."""
    return DataJob.objects.select_related("device", "receipt").filter(organisation=organisation)


def exported(organisation: Organisation, number: int) -> tuple[str, Iterator[bytes]]:
    """Return the name of a finished export's file, and the file; raise NothingHere, also when it is gone."""
    job = found(jobs_of(organisation).filter(kind="export", finished_us__isnull=False), number)
    pieces = job.pieces.order_by("number")
    if job.size and not pieces.exists():
        raise NothingHere("this file is not kept any more", next_step="Ask for another export.")
    contents = pieces.values_list("content", flat=True).iterator(chunk_size=4)
    return f"{job.device.serial}-{job.period}.csv.gz", (bytes(one) for one in contents)


def documents_of(organisation: Organisation) -> QuerySet[SignedDocument]:
    """Return the organisation's signed documents."""
    return SignedDocument.objects.select_related("device").filter(organisation=organisation)
