"""Batches: what was made together, for the maker's staff."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.fields import Line
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import to_us
from doorstep.server.fleet.models import Batch
from doorstep.server.fleet.queries import all_batches, find_batch

__all__ = ["router"]

router = Router(tags=["batches"])
BatchNumber = Annotated[str, Path(description="Of the batch, as its labels have it.")]
_READ = needs(Permission.MAKER_PRODUCTS_READ)


class BatchOut(Schema):
    """A batch."""

    number: str
    """As its labels have it."""
    product: str
    """Key of its product."""
    count: int
    """How many devices were asked for."""
    made: int
    """How many there are. `GET /devices?batch=…` lists them."""
    onboarding_methods: list[str]
    """What its devices open."""
    created_us: int
    """When it was made."""


class BatchPage(Page[BatchOut]):
    """Batches, newest first."""


@router.get("/batches", response={200: BatchPage}, operation_id="list_batches", openapi_extra=_READ)
def list_batches(
    request: HttpRequest,
    product: Annotated[Line | None, Query(description="Key of the product.")] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List the batches, all or those of one product."""
    rows = all_batches() if product is None else all_batches().filter(product__key=product)
    return page(rows, "-pk", _shown, cursor, limit)


@router.get("/batches/{number}", response={200: BatchOut}, operation_id="get_batch", openapi_extra=_READ)
def get_batch(request: HttpRequest, number: BatchNumber) -> Any:
    """Return one batch."""
    return _shown(find_batch(number))


def _shown(row: Batch) -> dict[str, Any]:
    return {
        "number": row.number,
        "product": row.product.key,
        "count": row.count,
        "made": row.made,  # type: ignore[attr-defined]  # annotated by the query
        "onboarding_methods": row.onboarding_methods,
        "created_us": to_us(row.created_at),
    }
