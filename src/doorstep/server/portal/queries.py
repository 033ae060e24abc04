"""What the maker's staff reads about sales, claims and disputes. Callers have checked that they are staff."""

from django.db.models import Count, QuerySet

from doorstep.server.custody.models import Claim, CustodyEntry, Dispute, Sale, SaleLine
from doorstep.server.fleet.models import Batch, Device

__all__ = ["all_sales", "devices_in", "held_claims", "ledger", "lines_of", "open_disputes"]


def all_sales() -> QuerySet[Sale]:
    """Return every sale, newest first, with the number of its devices."""
    return (
        Sale.objects.select_related("wholesaler")
        .annotate(devices=Count("lines"))
        .order_by("-created_at", "-pk")
    )


def lines_of(sale: Sale) -> QuerySet[SaleLine]:
    """Return the devices of a sale."""
    return sale.lines.select_related("device__product", "device__owner").order_by("device__serial")


def devices_in(batch: Batch) -> QuerySet[Device]:
    """Return the devices of a batch by serial."""
    return Device.objects.filter(batch=batch).select_related("product", "owner").order_by("serial")


def ledger() -> QuerySet[CustodyEntry]:
    """Return the whole ledger, newest first."""
    return CustodyEntry.objects.select_related("device").order_by("-number")


def held_claims() -> QuerySet[Claim]:
    """Return claims that wait for a decision: held, and of a device that still has no owner; newest first."""
    return (
        Claim.objects.filter(decision="held", device__owner=None)
        .select_related("device__product", "organisation", "claimant")
        .order_by("-at_us")
    )


def open_disputes() -> QuerySet[Dispute]:
    """Return open disputes, oldest first, because they have waited longest."""
    return (
        Dispute.objects.filter(state="open")
        .select_related("device__owner", "device__product", "claim__organisation", "claim__claimant")
        .order_by("opened_at_us")
    )
