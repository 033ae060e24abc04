"""Sales and dispatches, as the ERP and wholesalers tell them."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, Query, Status

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Line, Number, Reason
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page, page_of
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.rows import RowsDone, Serials, shown_rows
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us, to_us
from doorstep.server.custody.actions import record_sale, withdraw
from doorstep.server.custody.actions.sales import BOX_CAP
from doorstep.server.custody.models import Sale
from doorstep.server.custody.queries import (
    all_sales,
    deliveries_to,
    places_in,
    sale_for,
    sales_by,
    seller_of,
    stand_of,
    wholesaler_at,
)

__all__ = ["READ", "WRITE", "router"]

router = Router(tags=["sales"])

READ = (Permission.MAKER_SALES_READ, Permission.WHOLESALER_STOCK_READ)
WRITE = (Permission.MAKER_SALES_WRITE, Permission.WHOLESALER_STOCK_WRITE)


class Buyer(Schema, extra="forbid"):
    """A customer by e-mail address, or a wholesaler by theirs: exactly one."""

    email: Line = ""
    """The customer's e-mail address."""
    wholesaler: Line = ""
    """The wholesaler's e-mail address."""


class SaleIn(Schema, extra="forbid"):
    """An order: sold to a customer, or dispatched to a wholesaler."""

    order: Annotated[str, Field(min_length=1, max_length=80)]
    """The order's number, as the seller writes it."""
    serials: Serials
    """Devices by serial."""
    buyer: Buyer
    """To whom."""
    box: Annotated[str, Field(max_length=BOX_CAP)] = ""
    """Label of the box in which they travel."""
    seller: Line = ""
    """Address of the wholesaler that holds them, where the maker tells it in their place."""


class WithdrawIn(Schema, extra="forbid"):
    """Devices to take out of an order."""

    order: Annotated[str, Field(min_length=1, max_length=80)]
    """The order's number, as the seller writes it."""
    serials: Serials
    """Devices by serial."""
    reason: Reason
    """Why."""
    seller: Line = ""
    """As in a sale."""


class SaleDone(Schema):
    """What the sale did."""

    order: str
    """The order's number."""
    sold: list[str]
    """Serials sold by this request."""
    unchanged: list[str]
    """Serials that this order had sold before."""


class SaleOut(Schema):
    """A stored sale."""

    number: int
    """By which its devices are asked for; the portal's pages have it in their address."""
    order: str
    """The order's number, as the seller writes it."""
    seller: str
    """Name of the wholesaler that sold; empty: the maker."""
    buyer_email: str
    """The seller alone reads it."""
    wholesaler: str
    """Name of the wholesaler to which it was dispatched."""
    serials: int
    """How many devices it has."""
    created_us: int
    """When it was made."""


class SaleFilter(Schema):
    """Which sales."""

    order: Line | None = None
    """The order's number, as the seller writes it."""
    buyer_email: Line | None = None
    """The customer, in any case of letters; of the own sales alone."""
    serial: Line | None = None
    """The order that has this device."""


_COLUMNS: Final = {"order": "order", "buyer_email": "buyer_email__iexact", "serial": "lines__device__serial"}


class SalePage(Page[SaleOut]):
    """Sales, newest first."""


class SoldOut(Schema):
    """A device of a sale."""

    device_id: str
    """Of the device."""
    serial: str
    """Of the same device."""
    product: str
    """Name of its product."""
    box: str
    """Label of the box in which it travelled."""
    stands: str
    """on_its_way, received, sold, passed_on (the buyer sold it), returned or withdrawn. Whoever sold to a
    wholesaler does not read what that one did with it."""


class PlacePage(Page[SoldOut]):
    """Devices of a sale, by serial."""


@router.post(
    "/sales",
    response={201: SaleDone},
    operation_id="record_sale",
    openapi_extra=needs(*WRITE),
)
def record(request: HttpRequest, sale: SaleIn) -> Any:
    """Record an order as sold: every row, or none and each bad row named.

    Repeat it freely: with the same Idempotency-Key it answers the same, and the same order never sells twice.
    """
    caller = caller_of(request)
    outcome = record_sale(
        sale.order,
        sale.serials,
        _buyer(sale.buyer),
        actor=caller.actor,
        source="api",
        now_us=now_us(),
        seller=_seller(caller, sale.seller),
        box=sale.box,
    )
    return Status(201, {"order": outcome.order, "sold": outcome.sold, "unchanged": outcome.unchanged})


@router.post(
    "/sales/withdraw",
    response={200: RowsDone},
    operation_id="withdraw_sale",
    openapi_extra=needs(*WRITE),
)
def withdraw_from(request: HttpRequest, wish: WithdrawIn) -> Any:
    """Take devices out of an order that nobody has received or owns yet; the ledger keeps both entries."""
    caller = caller_of(request)
    seller = _seller(caller, wish.seller)
    outcome = withdraw(seller, wish.order, wish.serials, wish.reason, actor=caller.actor, now_us=now_us())
    return shown_rows(outcome)


@router.get("/sales", response={200: SalePage}, operation_id="list_sales", openapi_extra=needs(*READ))
def list_sales(
    request: HttpRequest, wanted: Query[SaleFilter], cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List sales and dispatches, newest first: a wholesaler its own, the maker all; or those that fit."""
    caller = caller_of(request)
    seller = seller_of(caller.organisation)
    rows = all_sales() if seller is None else sales_by(seller)
    fits = {_COLUMNS[name]: value for name, value in wanted.dict(exclude_none=True).items()}
    if fits:
        # Apart from the count of an order's devices, which a filter by one of them must not change; and
        # whom a wholesaler sold to is nobody else's to ask.
        own = Sale.objects.filter(seller=seller) if wanted.buyer_email else Sale.objects.all()
        rows = rows.filter(pk__in=own.filter(**fits).values("pk"))
    return page(rows, "-pk", lambda row: _shown(row, seller), cursor, limit)


@router.get("/sales/{number}", response={200: SaleOut}, operation_id="get_sale", openapi_extra=needs(*READ))
def get_sale(request: HttpRequest, number: Number) -> Any:
    """Return one sale; a wholesaler gets those that it made, and those that came to it."""
    caller = caller_of(request)
    return _shown(sale_for(caller.organisation, number), seller_of(caller.organisation))


@router.get(
    "/sales/{number}/devices",
    response={200: PlacePage},
    operation_id="list_sold_devices",
    openapi_extra=needs(*READ),
)
def list_devices(
    request: HttpRequest, number: Number, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List the devices of a sale, those included that its buyer has no longer, by serial."""
    caller = caller_of(request)
    sale = sale_for(caller.organisation, number)

    def shown(place: dict[str, Any]) -> dict[str, Any]:
        return asdict(stand_of(sale, place, caller.organisation))

    return page_of(places_in(sale), shown, cursor, limit)


@router.get(
    "/deliveries",
    response={200: SalePage},
    operation_id="list_deliveries",
    openapi_extra=needs(Permission.WHOLESALER_STOCK_READ),
)
def list_deliveries(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List what was dispatched to the wholesaler, newest first."""
    caller = caller_of(request)
    own = caller.organisation
    return page(deliveries_to(own), "-pk", lambda row: _shown(row, own), cursor, limit)


def _buyer(buyer: Buyer) -> str | Organisation:
    if bool(buyer.email) == bool(buyer.wholesaler):
        raise MisuseError("a sale has one buyer", next_step="Name buyer.email or buyer.wholesaler.")
    if buyer.email:
        return buyer.email
    return wholesaler_at(buyer.wholesaler)


def _seller(caller: Caller, address: str) -> Organisation | None:
    own = seller_of(caller.organisation)
    if not address:
        return own
    if own is not None:
        raise MisuseError("a wholesaler sells for itself alone", next_step="Leave seller out.")
    return wholesaler_at(address)


def _shown(sale: Sale, reader: Organisation | None) -> dict[str, Any]:
    return {
        "number": sale.pk,
        "order": sale.order,
        "seller": sale.seller.name if sale.seller else "",
        "buyer_email": sale.buyer_email if sale.seller == reader else "",
        "wholesaler": sale.wholesaler.name if sale.wholesaler else "",
        "serials": sale.line_count,  # type: ignore[attr-defined]  # annotated by the query
        "created_us": to_us(sale.created_at),
    }
