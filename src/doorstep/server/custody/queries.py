"""What pages, the REST API and the commands read of sales and stocks.

Callers of the functions that take no organisation have checked that they serve the maker.
"""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody.models import PastSaleLine, Sale, SaleLine

__all__ = [
    "all_sales",
    "deliveries_to",
    "dispatched_stock",
    "sales_by",
    "seller_of",
    "serials_of",
    "stock_of",
    "wholesaler_at",
]


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


def seller_of(organisation: Organisation) -> Organisation | None:
    """Return who sells when somebody of this organisation says so: a wholesaler, or None for the maker."""
    return organisation if organisation.kind == OrganisationKind.WHOLESALER else None


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
