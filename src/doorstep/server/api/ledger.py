"""A device's custody, entry by entry."""

from typing import Any

from django.http import HttpRequest
from ninja import Schema

from doorstep.ownership.ledger import Entry
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, page
from doorstep.server.api.routing import Router
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.access import device_for

__all__ = ["router"]

router = Router(tags=["ledger"])

_READ = (Permission.MAKER_LEDGER_READ, Permission.CUSTOMER_LEDGER_READ)


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
    is_maker = caller.organisation.kind == OrganisationKind.MAKER
    concerns = event.detail.get("organisation", caller.organisation.pk) == caller.organisation.pk
    return {
        "number": row.number,
        "at_us": row.at_us,
        "kind": row.kind,
        "actor": event.actor if is_maker or concerns else "",
        "detail": dict(event.detail) if is_maker or concerns else {},
        "digest": bytes(row.digest).hex(),
    }
