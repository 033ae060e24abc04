"""What pages, the REST API and the commands read of sales, stocks, disputes and the ledger.

Callers of the functions that take no organisation have checked that they serve the maker.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from doorstep.errors import MisuseError, RefusedError
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody.models import CustodyEntry, Dispute, PastSaleLine, Sale, SaleLine
from doorstep.server.custody.trading import ImportRun
from doorstep.server.fleet.models import Device

__all__ = [
    "NoSuchImport",
    "NoSuchSale",
    "Stand",
    "all_entries",
    "all_sales",
    "deliveries_to",
    "dispatched_stock",
    "holder_of",
    "import_of",
    "lines_of",
    "open_disputes",
    "places_in",
    "sale_for",
    "sales_by",
    "seller_of",
    "serials_of",
    "stand_of",
    "stock_of",
    "wholesaler_at",
]


class NoSuchImport(RefusedError):
    """There is no such import, or none of this organisation's."""


class NoSuchSale(RefusedError):
    """There is no such order, or none that the organisation made or got."""


def all_sales() -> QuerySet[Sale]:
    """Return the sales of the maker and of wholesalers, newest first, each with its ``line_count``."""
    passed_on = PastSaleLine.objects.exclude(outcome="withdrawn")
    return (
        Sale.objects.select_related("wholesaler", "seller")
        .annotate(line_count=_number_of(SaleLine.objects.all()) + _number_of(passed_on))
        .order_by("-pk")
    )


def sales_by(seller: Organisation) -> QuerySet[Sale]:
    """Return what a wholesaler sold and dispatched, as `all_sales` does."""
    return all_sales().filter(seller=seller)


def deliveries_to(wholesaler: Organisation) -> QuerySet[Sale]:
    """Return what was dispatched to a wholesaler, as `all_sales` does."""
    return all_sales().filter(wholesaler=wholesaler)


def sale_for(organisation: Organisation, number: int) -> Sale:
    """Return any sale to the maker, to a wholesaler one that it made or got; raise NoSuchSale."""
    rows = all_sales()
    if organisation.kind != OrganisationKind.MAKER:
        rows = rows.filter(Q(seller=organisation) | Q(wholesaler=organisation))
    sale = rows.filter(pk=number).first()
    if sale is None:
        raise NoSuchSale(f"there is no order {number} here", next_step="List the orders first.")
    return sale


def lines_of(sale: Sale) -> QuerySet[SaleLine]:
    """Return the devices of a sale that its buyer has, by serial."""
    return sale.lines.select_related("device__product", "device__owner").order_by("device__serial")


def stock_of(wholesaler: Organisation) -> QuerySet[SaleLine]:
    """Return what a wholesaler holds and nobody owns, newest first, received or still on its way."""
    return dispatched_stock().filter(sale__wholesaler=wholesaler)


def dispatched_stock() -> QuerySet[SaleLine]:
    """Return what wholesalers hold and nobody owns, newest first."""
    return (
        SaleLine.objects.filter(sale__wholesaler__isnull=False, device__owner=None)
        .select_related("device__product", "sale__seller", "sale__wholesaler")
        .order_by("-pk")
    )


def serials_of(wholesaler: Organisation, names: list[str]) -> list[str]:
    """Return what a wholesaler's people typed or scanned as serials.

    A name may be a serial, a device id, or the label of a box, which stands for all of it that is in stock.
    """
    stock = stock_of(wholesaler)
    by_id = dict(stock.filter(device__device_id__in=names).values_list("device__device_id", "device__serial"))
    boxes: dict[str, list[str]] = {}
    in_boxes = stock.filter(box__in=[one for one in names if one]).order_by("device__serial")
    for box, serial in in_boxes.values_list("box", "device__serial"):
        boxes.setdefault(box, []).append(serial)
    return [serial for one in names for serial in boxes.get(one, [by_id.get(one, one)])]


def holder_of(device: Device) -> Organisation | None:
    """Return the wholesaler that holds a device which nobody owns, if one does."""
    line = dispatched_stock().filter(device=device).first()
    return line.sale.wholesaler if line else None


def import_of(organisation: Organisation, number: int) -> ImportRun:
    """Return what became of a file that the organisation sent; raise NoSuchImport."""
    run = ImportRun.objects.filter(organisation=organisation, pk=number).first()
    if run is None:
        raise NoSuchImport(f"there is no import {number} of yours", next_step="Older ones are forgotten.")
    return run


def places_in(sale: Sale) -> QuerySet[Any, dict[str, Any]]:
    """Return the devices of an order, those included that its buyer has no longer, by serial.

    Each is a mapping; ``outcome`` is empty while the order's buyer holds it, else as `PastSaleLine` has it.
    """
    columns = ("box", "received_us", "device__serial", "device__device_id", "device__product__name")
    now: QuerySet[Any, dict[str, Any]] = sale.lines.values(*columns, outcome=Value(""))
    return now.union(sale.past_lines.values(*columns, "outcome"), all=True).order_by("device__serial")


@dataclass(frozen=True, slots=True)
class Stand:
    """A device of an order, and where it stands as the reader may know it."""

    device_id: str
    serial: str
    product: str
    box: str
    stands: str
    """``on_its_way``, ``received``, ``sold``, ``passed_on``, ``returned`` or ``withdrawn``."""


def stand_of(sale: Sale, place: dict[str, Any], reader: Organisation) -> Stand:
    """Return one of the `places_in` an order as its seller or its buyer may know of it."""
    return Stand(
        place["device__device_id"],
        place["device__serial"],
        place["device__product__name"],
        place["box"],
        _stands(sale, place, is_seller=sale.seller == seller_of(reader)),
    )


def _stands(sale: Sale, place: dict[str, Any], *, is_seller: bool) -> str:
    if place["outcome"] == "withdrawn":
        return "withdrawn"
    if sale.wholesaler is None:
        return "sold"
    if place["outcome"] and not is_seller:
        return str(place["outcome"])
    return "on_its_way" if place["received_us"] is None else "received"


def seller_of(organisation: Organisation) -> Organisation | None:
    """Return who sells when somebody of this organisation says so: a wholesaler, or None for the maker."""
    return organisation if organisation.kind == OrganisationKind.WHOLESALER else None


def all_entries() -> QuerySet[CustodyEntry]:
    """Return the whole ledger, newest first."""
    return CustodyEntry.objects.select_related("device").order_by("-number")


def open_disputes() -> QuerySet[Dispute]:
    """Return open disputes, oldest first, because they have waited longest."""
    return (
        Dispute.objects.filter(closed_at_us=None)
        .select_related("device__owner", "device__product", "claim__organisation", "claim__claimant")
        .order_by("opened_at_us")
    )


def wholesaler_at(email: str) -> Organisation:
    """Return the wholesaler with this address; raise MisuseError when there is none."""
    found = Organisation.objects.filter(kind=OrganisationKind.WHOLESALER, email__iexact=email.strip()).first()
    if found is None:
        raise MisuseError(
            "no wholesaler has this address", next_step="Compare it with the wholesaler's in the portal."
        )
    return found


def _number_of(lines: QuerySet[Any]) -> Coalesce:
    of_sale = lines.filter(sale=OuterRef("pk")).order_by().values("sale")
    counted = of_sale.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))
