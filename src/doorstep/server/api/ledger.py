"""A device's custody, entry by entry."""

from typing import Any

from django.http import HttpRequest
from ninja import Schema

from doorstep.ownership.actors import organisation_of
from doorstep.ownership.ledger import Entry, Event, Kind
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, page
from doorstep.server.api.routing import Router
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.access import device_for

__all__ = ["router"]

router = Router(tags=["ledger"])

_READ = (
    Permission.MAKER_LEDGER_READ,
    Permission.WHOLESALER_STOCK_READ,
    Permission.CUSTOMER_LEDGER_READ,
)
_TRADE = frozenset({Kind.DISPATCHED, Kind.RECEIVED, Kind.SOLD, Kind.RETURNED, Kind.CORRECTED})
"""What the parties to it alone read: which wholesaler sold to whom is nobody else's business."""


class EntryOut(Schema):
    """A ledger entry. What concerns another organisation shows neither actor nor detail."""

    number: int
    at_us: int
    kind: str
    actor: str
    detail: dict[str, str | int]
    digest: str
    """SHA-256 of the entry, hexadecimal."""


class EntryPage(Schema):
    """Entries, oldest first."""

    items: list[EntryOut]
    next: str | None


@router.get(
    "/devices/{device_id}/ledger",
    response={200: EntryPage},
    operation_id="list_custody",
)
def list_custody(
    request: HttpRequest, device_id: str, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List what happened to a device, oldest first."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _READ)
    return page(device.custody.all(), "number", lambda row: _shown(caller, row), cursor, limit)


def _shown(caller: Caller, row: CustodyEntry) -> dict[str, Any]:
    event = Entry.from_body(bytes(row.body)).event
    is_open = caller.organisation.kind == OrganisationKind.MAKER or _concerns(event, caller.organisation.pk)
    return {
        "number": row.number,
        "at_us": row.at_us,
        "kind": row.kind,
        "actor": event.actor if is_open else "",
        "detail": dict(event.detail) if is_open else {},
        "digest": bytes(row.digest).hex(),
    }


def _concerns(event: Event, organisation: int) -> bool:
    if event.kind in _TRADE:
        return organisation in {event.detail.get("organisation"), organisation_of(event.actor)}
    return event.detail.get("organisation", organisation) == organisation
