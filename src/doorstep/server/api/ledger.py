"""A device's custody, entry by entry."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query

from doorstep.ownership.chain import LedgerBroken
from doorstep.ownership.kinds import Kind
from doorstep.ownership.ledger import Entry
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.custody.ledger import verify_soon
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.custody.queries import all_entries
from doorstep.server.custody.story import is_open
from doorstep.server.fleet.access import device_for

__all__ = ["router"]

router = Router(tags=["ledger"])

_ALL = needs(Permission.MAKER_LEDGER_READ)
_READ = (
    Permission.MAKER_LEDGER_READ,
    Permission.WHOLESALER_STOCK_READ,
    Permission.CUSTOMER_LEDGER_READ,
)


class EntryOut(Schema):
    """A ledger entry. What concerns another organisation shows neither actor nor detail."""

    number: int
    """Its place in the ledger."""
    at_us: int
    """When."""
    kind: str
    """What happened."""
    actor: str
    """Who did it, as the ledger names them."""
    detail: dict[str, str | int]
    """With what."""
    digest: str
    """SHA-256 of the entry, hexadecimal."""


class LedgerEntry(EntryOut):
    """An entry of the whole ledger."""

    device_id: str
    """Empty where it is about no device."""


class Verified(Schema):
    """What came of verifying the ledger."""

    holds: bool
    """Every hash and every signature holds."""
    entries: int | None
    """How many there are."""
    end: str | None
    """Number and SHA-256 of the last one: keep it elsewhere, and a cut ledger shows."""
    problem: str
    """What is broken; empty while it holds."""


class LedgerPage(Page[LedgerEntry]):
    """Entries of all devices, oldest first."""


class EntryPage(Page[EntryOut]):
    """Entries, oldest first."""


@router.get("/ledger", response={200: LedgerPage}, operation_id="list_ledger", openapi_extra=_ALL)
def list_ledger(
    request: HttpRequest,
    kind: Annotated[Kind | None, Query(description="What happened.")] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List what happened to all devices, oldest first; all of it, or entries of one kind."""
    caller = caller_of(request)
    rows = all_entries()
    found = rows if kind is None else rows.filter(kind=kind)
    return page(found, "number", lambda row: _of_all(caller, row), cursor, limit)


@router.get(
    "/ledger/verification", response={200: Verified}, operation_id="verify_ledger", openapi_extra=_ALL
)
def verify_ledger(request: HttpRequest) -> Any:
    """Verify every hash and signature of the ledger; a very long one is the work of the command."""
    try:
        head = verify_soon()
    except LedgerBroken as error:
        return {"holds": False, "entries": None, "end": None, "problem": error.message}
    return {"holds": True, "entries": head.number, "end": str(head), "problem": ""}


@router.get(
    "/devices/{device_id}/ledger",
    response={200: EntryPage},
    operation_id="list_custody",
    openapi_extra=needs(*_READ),
)
def list_custody(
    request: HttpRequest, device_id: DeviceId, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List what happened to a device, oldest first."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _READ)
    return page(device.custody.all(), "number", lambda row: _shown(caller, row), cursor, limit)


def _of_all(caller: Caller, row: CustodyEntry) -> dict[str, Any]:
    return {**_shown(caller, row), "device_id": row.device.device_id if row.device else ""}


def _shown(caller: Caller, row: CustodyEntry) -> dict[str, Any]:
    event = Entry.from_body(bytes(row.body)).event
    may_know = is_open(event, caller.organisation)
    return {
        "number": row.number,
        "at_us": row.at_us,
        "kind": row.kind,
        "actor": event.actor if may_know else "",
        "detail": dict(event.detail) if may_know else {},
        "digest": bytes(row.digest).hex(),
    }
