"""Commands to a device, the settings it should have, and the events it told, for its owner."""

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, Path, Query, Status

from doorstep.messaging.channels import MAX_CALL_NAME, MAX_SETTINGS, MAX_VERSION, Call
from doorstep.messaging.delivery import Delivery
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.readings import PointOut
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.channels.actions import MAX_LIFE_US, cancel, send_command, want_settings
from doorstep.server.channels.models import Downlink
from doorstep.server.channels.queries import (
    command_of,
    commands_of,
    detail_of,
    events_of,
    settings_of,
)
from doorstep.server.clock import now_us
from doorstep.server.fleet.access import device_for
from doorstep.server.fleet.models import Device
from doorstep.server.readings.queries import Point

__all__ = ["router"]

router = Router(tags=["commands"])

_READ: Final = (Permission.CUSTOMER_COMMANDS_READ,)
_WRITE: Final = (Permission.CUSTOMER_COMMANDS_WRITE,)
_DAY_S: Final = 86_400

CommandId = Annotated[str, Path(description="Of the command, as its answer has it.")]
Values = Annotated[dict[str, float | bool | str], Field(max_length=MAX_SETTINGS)]


class CommandIn(Schema, extra="forbid"):
    """What the device is to do. Names and values are those that its firmware knows."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_CALL_NAME)]
    """What the device is to do."""
    arguments: Values = Field(default_factory=dict)
    """With what."""
    expires_in_s: Annotated[int, Field(ge=1, le=MAX_LIFE_US // 1_000_000)] = _DAY_S
    """The device does not carry it out later than that."""


class CommandOut(Schema):
    """A command and how far it is. Times are microseconds since 1970."""

    command_id: str
    """By which it is asked for."""
    channel: str
    """``cmd``, or ``config`` for settings on their way."""
    name: str
    """What the device is to do."""
    state: str
    """queued, sent, acknowledged, refused, expired or cancelled."""
    detail: str
    """What the device said about it."""
    tries: int
    """How often it was sent."""
    asked_by: str
    """Who asked for it, as the ledger names them."""
    asked_us: int
    """When it was asked for."""
    expires_us: int | None
    """After that the device does not carry it out."""
    sent_us: int | None
    """When it was last sent."""
    closed_us: int | None
    """When it was answered, expired or withdrawn."""


class CommandPage(Page[CommandOut]):
    """Commands, newest first."""


class DesiredIn(Schema, extra="forbid"):
    """All settings that the device should have."""

    settings: Values
    """All of them; one that is missing is taken away."""
    version: Annotated[int, Field(ge=0, le=MAX_VERSION)]
    """The version that you read; another one in between is a conflict."""


class DesiredOut(Schema):
    """The settings that a device should have, and what it said last about itself."""

    version: int
    """Of ``settings``; 0 when nobody ever set any."""
    settings: dict[str, float | bool | str]
    """All that the device should have."""
    asked_us: int | None
    """When somebody last set any."""
    applied_version: int | None
    """The version that the device said it has."""
    waiting: bool
    """The device has not said yet that it applied them."""
    reported: list[PointOut]
    """What the device said last on channel ``state``."""
    reported_us: int | None
    """When it said that."""


class EventOut(Schema):
    """One message on channel ``event``."""

    received_us: int
    """When it arrived."""
    points: list[PointOut]
    """What it said."""


class Events(Schema):
    """Events, newest first."""

    items: list[EventOut]
    """Newest first."""


@router.post(
    "/devices/{device_id}/commands",
    response={201: CommandOut},
    operation_id="send_command",
    openapi_extra=needs(*_WRITE),
)
def send(request: HttpRequest, device_id: DeviceId, command: CommandIn) -> Any:
    """Queue a command. It goes out when the device shows itself, until the device answers or it expires."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _WRITE)
    call = Call(command.name, command.arguments)
    row = send_command(device, call, lasts_s=command.expires_in_s, by=caller.actor, now_us=now_us())
    return Status(201, _shown(row))


@router.get(
    "/devices/{device_id}/commands",
    response={200: CommandPage},
    operation_id="list_commands",
    openapi_extra=needs(*_READ),
)
def list_commands(
    request: HttpRequest,
    device_id: DeviceId,
    state: Annotated[Delivery | None, Query(description="How far they are.")] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List what was sent, or waits to be sent, to a device in this owner's time."""
    rows = commands_of(device_for(caller_of(request), device_id, _READ))
    found = rows if state is None else rows.filter(state=state)
    return page(found, "-number", _shown, cursor, limit)


@router.get(
    "/devices/{device_id}/commands/{command_id}",
    response={200: CommandOut},
    operation_id="get_command",
    openapi_extra=needs(*_READ),
)
def get_command(request: HttpRequest, device_id: DeviceId, command_id: CommandId) -> Any:
    """Return one command and how far it is."""
    return _shown(command_of(device_for(caller_of(request), device_id, _READ), command_id))


@router.post(
    "/devices/{device_id}/commands/{command_id}/cancel",
    response={200: CommandOut},
    operation_id="cancel_command",
    openapi_extra=needs(*_WRITE),
)
def cancel_command(request: HttpRequest, device_id: DeviceId, command_id: CommandId) -> Any:
    """Withdraw a command. One that was sent may be carried out all the same, and then says so."""
    row = command_of(device_for(caller_of(request), device_id, _WRITE), command_id)
    return _shown(cancel(row, "cancelled by its owner", now_us=now_us()))


@router.get(
    "/devices/{device_id}/desired",
    response={200: DesiredOut},
    operation_id="get_desired",
    openapi_extra=needs(*_READ),
)
def get_desired(request: HttpRequest, device_id: DeviceId) -> Any:
    """Return the settings that a device should have, and those that it has."""
    return _desired(device_for(caller_of(request), device_id, _READ))


@router.put(
    "/devices/{device_id}/desired",
    response={200: DesiredOut},
    operation_id="put_desired",
    openapi_extra=needs(*_WRITE),
)
def put_desired(request: HttpRequest, device_id: DeviceId, wanted: DesiredIn) -> Any:
    """Replace the settings that a device should have; 409 when somebody else did so in between."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _WRITE)
    want_settings(device, wanted.settings, seen=wanted.version, by=caller.actor, now_us=now_us())
    return _desired(device)


@router.get(
    "/devices/{device_id}/events",
    response={200: Events},
    operation_id="list_events",
    openapi_extra=needs(*_READ),
)
def list_events(
    request: HttpRequest,
    device_id: DeviceId,
    limit: Annotated[int, Query(ge=1, le=200, description="Newest events.")] = DEFAULT_LIMIT,
) -> Any:
    """Return the newest events that a device told, in this owner's time alone."""
    device = device_for(caller_of(request), device_id, _READ)
    items = [
        {"received_us": event.received_us, "points": _points(event.points)}
        for event in events_of(device, limit)
    ]
    return {"items": items}


def _shown(row: Downlink) -> dict[str, Any]:
    return {
        "command_id": row.command_id,
        "channel": row.channel,
        "name": row.name,
        "state": row.state,
        "detail": detail_of(row),
        "tries": row.tries,
        "asked_by": row.asked_by,
        "asked_us": row.asked_us,
        "expires_us": row.expires_us,
        "sent_us": row.sent_us,
        "closed_us": row.closed_us,
    }


def _desired(device: Device) -> dict[str, Any]:
    shown = settings_of(device)
    return {
        "version": shown.version,
        "settings": dict(shown.wanted),
        "asked_us": shown.asked_us,
        "applied_version": shown.applied,
        "waiting": shown.waiting,
        "reported": _points(shown.reported),
        "reported_us": shown.reported_us,
    }


def _points(points: tuple[Point, ...]) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "unit": one.unit, "time_us": one.time_us, "value": one.value} for one in points
    ]
