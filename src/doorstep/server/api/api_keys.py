"""API keys of an organisation, for its people alone: a key makes no other."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, Status

from doorstep.server.accounts.api_keys import end_api_key, key_of, keys_of, make_api_key
from doorstep.server.accounts.models import ApiKey
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of, proven_caller_of
from doorstep.server.api.fields import Name, Number, RowNumber
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import to_us
from doorstep.server.fleet.grouping import group_at

__all__ = ["router"]

router = Router(tags=["API keys"])

_WRITE: Final = (
    Permission.MAKER_KEYS_WRITE,
    Permission.WHOLESALER_KEYS_WRITE,
    Permission.CUSTOMER_KEYS_WRITE,
)


class ApiKeyIn(Schema, extra="forbid"):
    """A key to be."""

    name: Name
    """What it is for, for example: ERP."""
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    """What it may do: permissions that whoever makes it has, and that a key can have."""
    group: RowNumber | None = None
    """Number of the device group whose devices alone it sees; null: all."""
    days: Annotated[int, Field(ge=1, le=3650)] | None = 365
    """After so many it ends; null: never by itself."""


class ApiKeyOut(Schema):
    """A key, without what opens anything."""

    number: int
    """By which it is ended."""
    name: str
    """What it is for."""
    prefix: str
    """How the key begins; the ledger and the audit trail name it so."""
    scopes: list[str]
    """What it may do."""
    group: int | None
    """Number of the device group whose devices alone it sees; null: all."""
    created_us: int
    """When it was made."""
    expires_us: int | None
    """When it ends by itself."""
    last_used_us: int | None
    """To the hour; null: never."""
    revoked_us: int | None
    """When it was ended; it opens nothing any more."""


class ApiKeyMade(ApiKeyOut):
    """A new key, shown this once."""

    key: str
    """For ``Authorization: Bearer …``; only its hash is kept."""


class ApiKeyPage(Page[ApiKeyOut]):
    """Keys, newest first, ended ones included."""


@router.get(
    "/api-keys", response={200: ApiKeyPage}, operation_id="list_api_keys", openapi_extra=needs(*_WRITE)
)
def list_keys(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the organisation's keys, as a person who proved a moment ago who they are."""
    return page(keys_of(proven_caller_of(request).organisation), "-pk", _shown, cursor, limit)


@router.post(
    "/api-keys", response={201: ApiKeyMade}, operation_id="make_api_key", openapi_extra=needs(*_WRITE)
)
def make(request: HttpRequest, wish: ApiKeyIn) -> Any:
    """Make a key, as a person who proved a moment ago who they are. It is shown this once."""
    caller = proven_caller_of(request)
    key, row = make_api_key(
        caller.organisation,
        wish.name,
        wish.scopes,
        by=caller.user,
        group=group_at(caller, wish.group) if wish.group is not None else None,
        expires_at=datetime.now(UTC) + timedelta(days=wish.days) if wish.days is not None else None,
        within=caller.permissions,
    )
    return Status(201, _shown(row) | {"key": key})


@router.delete(
    "/api-keys/{number}", response={204: None}, operation_id="end_api_key", openapi_extra=needs(*_WRITE)
)
def end(request: HttpRequest, number: Number) -> Any:
    """End a key at once, as a person. Asked again, nothing changes."""
    caller = caller_of(request)
    end_api_key(key_of(caller.organisation, number))
    return Status(204, None)


def _shown(row: ApiKey) -> dict[str, Any]:
    return {
        "number": row.pk,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "group": row.group_id,
        "created_us": to_us(row.created_at),
        "expires_us": _us(row.expires_at),
        "last_used_us": _us(row.last_used_at),
        "revoked_us": _us(row.revoked_at),
    }


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)
