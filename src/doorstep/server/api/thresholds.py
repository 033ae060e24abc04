"""What is watched of a device, and the alerts that came of it."""

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, Query, Status

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId, Line, Number, ShortId
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page, page_of
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.fleet.access import device_for
from doorstep.server.readings.alerting import sentence_of
from doorstep.server.readings.limits import ThresholdKind
from doorstep.server.readings.models import Alert, Threshold
from doorstep.server.readings.rolling import LARGEST
from doorstep.server.readings.thresholds import (
    add_threshold,
    alerts_seen,
    remove_threshold,
    thresholds_of,
)

__all__ = ["router"]

router = Router(tags=["alerts"])

_READ: Final = (Permission.CUSTOMER_READINGS_READ,)
_WRITE: Final = (Permission.CUSTOMER_DEVICES_WRITE,)


class ThresholdIn(Schema, extra="forbid"):
    """What to watch for."""

    kind: ThresholdKind
    """above or below a value, or silent: no message for some minutes."""
    name: Annotated[Line, Field(max_length=64)] = ""
    """Of the reading; without meaning for silence."""
    value: Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
    """In the reading's own unit; for silence minutes, from 2 to 43200."""
    mail: bool = True
    """Whether everybody who manages devices gets a mail; webhooks tell programs in any case."""


class ThresholdOut(Schema):
    """What is watched of a device."""

    number: int
    """By which it is removed."""
    kind: ThresholdKind
    """above, below or silent."""
    name: str
    """Of the reading; empty for silence."""
    value: float
    """In the reading's own unit; for silence minutes."""
    mail: bool
    """Whether people get a mail."""
    by: str
    """Who asked for it, as the ledger names them."""
    created_us: int
    """From then on it is watched."""


class ThresholdPage(Page[ThresholdOut]):
    """What is watched of a device, by reading."""


class AlertOut(Schema):
    """A threshold that was crossed."""

    number: int
    """Which one; the event of its webhook names it."""
    device_id: str
    """Of the device."""
    kind: ThresholdKind
    """above, below or silent."""
    name: str
    """Of the reading; empty for silence."""
    limit: float
    """The threshold's value as it was."""
    value: float | None
    """The first reading beyond it; null for silence."""
    unit: str
    """Of both."""
    sentence: str
    """The same in plain words."""
    opened_us: int
    """When it was crossed."""
    closed_us: int | None
    """When all was well again; null: it is still open."""


class AlertPage(Page[AlertOut]):
    """Alerts, newest first."""


@router.get("/alerts", response={200: AlertPage}, operation_id="list_alerts", openapi_extra=needs(*_READ))
def list_alerts(
    request: HttpRequest,
    device_id: Annotated[ShortId | None, Query(description="Of one device.")] = None,
    is_open: Annotated[bool | None, Query(description="Open ones alone, or closed ones.")] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List the alerts of the devices that the caller sees, newest first; all, or those that fit."""
    caller = caller_of(request)
    rows = alerts_seen(caller)
    if device_id:
        rows = rows.filter(device__device_id=device_id)
    if is_open is not None:
        rows = rows.filter(closed_us__isnull=is_open)
    return page(rows, "-pk", _alert, cursor, limit)


@router.get(
    "/devices/{device_id}/thresholds",
    response={200: ThresholdPage},
    operation_id="list_thresholds",
    openapi_extra=needs(*_READ),
)
def list_thresholds(
    request: HttpRequest, device_id: DeviceId, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List what is watched of a device."""
    rows = list(thresholds_of(device_for(caller_of(request), device_id, _READ)))
    return page_of(rows, _shown, cursor, limit)


@router.post(
    "/devices/{device_id}/thresholds",
    response={201: ThresholdOut},
    operation_id="add_threshold",
    openapi_extra=needs(*_WRITE),
)
def add(request: HttpRequest, device_id: DeviceId, wish: ThresholdIn) -> Any:
    """Watch a device from now on: a number that it sends, or its silence."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _WRITE)
    row = add_threshold(
        device, wish.kind, wish.name, wish.value, mail=wish.mail, by=caller.actor, now_us=now_us()
    )
    return Status(201, _shown(row))


@router.delete(
    "/devices/{device_id}/thresholds/{number}",
    response={204: None},
    operation_id="remove_threshold",
    openapi_extra=needs(*_WRITE),
)
def remove(request: HttpRequest, device_id: DeviceId, number: Number) -> Any:
    """Watch for something no longer, and close its alert."""
    remove_threshold(device_for(caller_of(request), device_id, _WRITE), number, now_us())
    return Status(204, None)


def _shown(row: Threshold) -> dict[str, Any]:
    return {
        "number": row.pk,
        "kind": row.kind,
        "name": row.name,
        "value": row.value,
        "mail": row.mail,
        "by": row.created_by,
        "created_us": row.created_us,
    }


def _alert(row: Alert) -> dict[str, Any]:
    return {
        "number": row.pk,
        "device_id": row.device.device_id,
        "kind": row.kind,
        "name": row.name,
        "limit": row.limit,
        "value": row.value,
        "unit": row.unit,
        "sentence": sentence_of(row),
        "opened_us": row.opened_us,
        "closed_us": row.closed_us,
    }
