"""Sales, as the ERP tells them."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Schema, Status

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Line
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, page
from doorstep.server.api.routing import Router
from doorstep.server.clock import now_us, to_us
from doorstep.server.custody.actions import record_sale
from doorstep.server.custody.actions.sales import SERIALS_CAP
from doorstep.server.custody.models import Sale
from doorstep.server.custody.queries import all_sales, wholesaler_at
from doorstep.server.fleet.access import require

__all__ = ["router"]

router = Router(tags=["sales"])


class Buyer(Schema, extra="forbid"):
    """A customer by e-mail address, or a wholesaler by theirs: exactly one."""

    email: Line = ""
    wholesaler: Line = ""


class SaleIn(Schema, extra="forbid"):
    """An order."""

    order: Annotated[str, Field(min_length=1, max_length=80)]
    serials: Annotated[
        list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=SERIALS_CAP)
    ]
    buyer: Buyer


class SaleDone(Schema):
    """What the sale did."""

    order: str
    sold: list[str]
    """Serials sold by this request."""
    unchanged: list[str]
    """Serials that this order had sold before."""


class SaleOut(Schema):
    """A stored sale."""

    order: str
    buyer_email: str
    wholesaler: str
    serials: int
    """How many devices it has."""
    created_us: int


class SalePage(Schema):
    """Sales, newest first."""

    items: list[SaleOut]
    next: str | None


@router.post(
    "/sales",
    response={201: SaleDone},
    operation_id="record_sale",
)
def record(request: HttpRequest, sale: SaleIn) -> Any:
    """Record an order as sold: every row, or none and each bad row named.

    Repeat it freely: with the same Idempotency-Key it answers the same, and the same order never sells twice.
    """
    caller = caller_of(request)
    require(caller, Permission.MAKER_SALES_WRITE)
    buyer = _buyer(sale.buyer)
    outcome = record_sale(sale.order, sale.serials, buyer, actor=caller.actor, source="api", now_us=now_us())
    return Status(201, {"order": outcome.order, "sold": outcome.sold, "unchanged": outcome.unchanged})


@router.get("/sales", response={200: SalePage}, operation_id="list_sales")
def list_sales(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List sales, newest first."""
    require(caller_of(request), Permission.MAKER_SALES_READ)
    return page(all_sales(), "-pk", _shown, cursor, limit)


def _buyer(buyer: Buyer) -> str | Organisation:
    if bool(buyer.email) == bool(buyer.wholesaler):
        raise MisuseError("a sale has one buyer", next_step="Name buyer.email or buyer.wholesaler.")
    if buyer.email:
        return buyer.email
    return wholesaler_at(buyer.wholesaler)


def _shown(sale: Sale) -> dict[str, Any]:
    return {
        "order": sale.order,
        "buyer_email": sale.buyer_email,
        "wholesaler": sale.wholesaler.name if sale.wholesaler else "",
        "serials": sale.line_count,  # type: ignore[attr-defined]  # annotated by the query
        "created_us": to_us(sale.created_at),
    }
