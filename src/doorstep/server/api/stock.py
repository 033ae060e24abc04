"""Stocks: what wholesalers hold, what comes in, and what goes back to the maker."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Line, Reason
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.rows import RowsDone, Serials, shown_rows
from doorstep.server.api.sales import READ
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import receive, return_to_maker, take_into_stock
from doorstep.server.custody.models import SaleLine
from doorstep.server.custody.queries import dispatched_stock, seller_of, stock_of

__all__ = ["router"]

router = Router(tags=["stock"])


class StockOut(Schema):
    """A device that a wholesaler holds and nobody owns."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """The product's key."""
    wholesaler: str
    """Name of the wholesaler that holds it."""
    order: str
    """By which it came."""
    sender: str
    """The wholesaler that sent it; empty: the maker."""
    box: str
    """Label of the box in which it came; may be empty."""
    received_us: int | None
    """When the wholesaler said that it has come; none: it is on its way."""


class StockPage(Page[StockOut]):
    """Devices, newest first."""


class SerialsIn(Schema, extra="forbid"):
    """Devices."""

    serials: Serials
    """Devices by serial."""


class StockReturnIn(Schema, extra="forbid"):
    """Devices that go back."""

    serials: Serials
    """Devices by serial."""
    reason: Reason
    """It stays in the ledger and names no person."""


@router.get("/stock", response={200: StockPage}, operation_id="list_stock", openapi_extra=needs(*READ))
def list_stock(
    request: HttpRequest,
    order: Annotated[Line | None, Query(description="The order's number.")] = None,
    box: Annotated[Line | None, Query(description="Label of the box.")] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List what a wholesaler holds, on its way or received; for the maker what all of them hold."""
    caller = caller_of(request)
    wholesaler = seller_of(caller.organisation)
    rows = dispatched_stock() if wholesaler is None else stock_of(wholesaler)
    wanted = {"sale__order": order, "box": box}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    return page(rows, "-pk", _shown, cursor, limit)


@router.post(
    "/stock/receive",
    response={200: RowsDone},
    operation_id="receive_devices",
    openapi_extra=needs(Permission.WHOLESALER_STOCK_WRITE),
)
def receive_devices(request: HttpRequest, rows: SerialsIn) -> Any:
    """Say that devices have come which were dispatched to you. Good rows are stored."""
    caller = caller_of(request)
    return shown_rows(receive(caller.organisation, rows.serials, actor=caller.actor, now_us=now_us()))


@router.post(
    "/stock/return",
    response={200: RowsDone},
    operation_id="return_devices",
    openapi_extra=needs(Permission.WHOLESALER_STOCK_WRITE),
)
def return_devices(request: HttpRequest, wish: StockReturnIn) -> Any:
    """Send devices from your stock back to the maker. Good rows are stored."""
    caller = caller_of(request)
    outcome = return_to_maker(
        caller.organisation, wish.serials, wish.reason, actor=caller.actor, now_us=now_us()
    )
    return shown_rows(outcome)


@router.post(
    "/stock/take-in",
    response={200: RowsDone},
    operation_id="take_devices_into_stock",
    openapi_extra=needs(Permission.MAKER_SALES_WRITE),
)
def take_in(request: HttpRequest, rows: SerialsIn) -> Any:
    """Put devices into the maker's stock, from the line or as they come back. Good rows are stored."""
    caller = caller_of(request)
    return shown_rows(take_into_stock(rows.serials, actor=caller.actor, now_us=now_us()))


def _shown(line: SaleLine) -> dict[str, Any]:
    sale, device = line.sale, line.device
    return {
        "device_id": device.device_id,
        "serial": device.serial,
        "product": device.product.key,
        "wholesaler": sale.wholesaler.name if sale.wholesaler else "",
        "order": sale.order,
        "sender": sale.seller.name if sale.seller else "",
        "box": line.box,
        "received_us": line.received_us,
    }
