"""The audit trail, for managers of an organisation and for the maker's staff."""

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Query

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import LATEST_US
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.audit.models import AuditRow
from doorstep.server.audit.queries import Search, deed, deeds_for

__all__ = ["router"]

router = Router(tags=["audit"])

_READ = (Permission.MAKER_AUDIT_READ, Permission.WHOLESALER_AUDIT_READ, Permission.CUSTOMER_AUDIT_READ)
_CAP: Final = 100
_Moment = Annotated[int | None, Query(ge=0, le=LATEST_US, description="Microseconds since 1970.")]


class DeedOut(Schema):
    """One entry. Details are those that the caller's organisation may see."""

    number: int
    """Its place in the trail."""
    at_us: int
    """When."""
    actor: str
    """Who did it, as the ledger names them."""
    action: str
    """Name of the page or operation."""
    way: str
    """portal or rest."""
    looked: bool
    """The maker's staff looked, and changed nothing."""
    device_id: str
    """About which device; may be empty."""
    before: dict[str, str | int | bool | None]
    """Values that it changed."""
    after: dict[str, str | int | bool | None]
    """The same values since."""
    address: str
    """Where it came from; only for who acted for the caller's organisation."""
    erased: bool
    """Before, after and address were erased."""
    digest: str
    """SHA-256 of the entry, hexadecimal."""


class DeedPage(Page[DeedOut]):
    """Entries, newest first."""


@router.get("/audit", response={200: DeedPage}, operation_id="list_audit", openapi_extra=needs(*_READ))
def list_audit(  # noqa: PLR0913, PLR0917 - each narrows the search
    request: HttpRequest,
    device: Annotated[str, Query(max_length=_CAP, description="Id of the device.")] = "",
    actor: Annotated[
        str,
        Query(
            max_length=_CAP, description="As the ledger names them, with or without @ and the organisation."
        ),
    ] = "",
    action: Annotated[str, Query(max_length=_CAP, description="Name of the page or operation.")] = "",
    since_us: _Moment = None,
    until_us: _Moment = None,
    staff: Annotated[bool, Query(description="Only what the maker's staff did or looked at.")] = False,  # noqa: FBT002 - a query
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List who did what for the caller's organisation and to its devices, and which of the staff looked."""
    caller = caller_of(request)
    search = Search(device, actor, action, since_us, until_us, staff)

    def shown(row: AuditRow) -> dict[str, Any]:
        one = deed(row, caller.organisation)
        return {name: getattr(one, name) for name in DeedOut.model_fields}

    return page(deeds_for(caller.organisation, search), "-number", shown, cursor, limit)
