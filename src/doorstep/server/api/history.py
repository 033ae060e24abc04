"""Readings over a span of time, as lines and as files, and what happened to the devices."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from doorstep.server.accounts.permissions import Permission
from doorstep.server.activity import Happened, happenings
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import LATEST_US, DeviceId, Line
from doorstep.server.api.routing import Router, needs, sends
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.files import streamed
from doorstep.server.fleet.access import device_for
from doorstep.server.fleet.filters import tally_of
from doorstep.server.fleet.visible import devices_visible_to
from doorstep.server.readings.charts import MOST_LINES, Span, lines_of
from doorstep.server.readings.downloads import Format, file_of

__all__ = ["router"]

router = Router(tags=["readings"])

_READ: Final = (Permission.CUSTOMER_READINGS_READ,)
_HAPPENED: Final = (
    Permission.CUSTOMER_LEDGER_READ,
    Permission.CUSTOMER_READINGS_READ,
    Permission.CUSTOMER_COMMANDS_READ,
)


class Chart(Schema):
    """Which lines."""

    span: Literal["hour", "day", "week", "month", "year"] = "day"
    """How far to look back from now."""
    name: Annotated[list[Line], Field(max_length=MOST_LINES)] = Field(default_factory=list)
    """Of readings; none: the first twelve that the device sends."""


class DotOut(Schema):
    """One point of a line."""

    time_us: int
    """Its moment, or the beginning of its hour or day."""
    mean: float
    """Of the readings that it stands for."""
    low: float
    """The lowest of them."""
    high: float
    """The highest of them."""


class LineOut(Schema):
    """One reading of a device."""

    name: str
    """As the device calls it."""
    unit: str
    """As the device says it, in SenML's units."""
    dots: list[DotOut]
    """Oldest first."""


class ChartOut(Schema):
    """Numbers that a device sent over a span of time; some hundred points a line at most."""

    until_us: int
    """Where the span ends: now."""
    since_us: int
    """Where it begins."""
    lines: list[LineOut]
    """By name."""


class FileOf(Schema):
    """Which file."""

    since: date
    """First day, of UTC."""
    until: date
    """Last day, which is in the file."""
    kind: Format = Format.CSV
    """csv, or parquet where the server makes it: at most a year at once."""


class HappeningOut(Schema):
    """One thing that happened to one device."""

    at_us: int
    """When."""
    device_id: str
    """To which."""
    kind: Happened
    """custody, alert, alert_ended, command or settings."""
    sentence: str
    """In plain words."""


class Activity(Schema):
    """What happened, newest first."""

    items: list[HappeningOut]
    """Of the kinds that the caller may read: custody, alerts, commands."""
    next_before_us: int | None
    """For the next question; null: there is no more."""


class Summary(Schema):
    """How many of the devices that the caller sees are how; each counts once besides in ``all``."""

    all: int
    """All of them."""
    attention: int
    """Suspected, in quarantine or disputed."""
    live: int
    """Sent something a moment ago."""
    quiet: int
    """Sent something before."""
    waiting: int
    """Never sent anything yet."""
    revoked: int
    """Nothing of them is accepted."""


@router.get(
    "/devices/{device_id}/chart",
    response={200: ChartOut},
    operation_id="get_chart",
    openapi_extra=needs(*_READ),
)
def get_chart(request: HttpRequest, device_id: DeviceId, wanted: Query[Chart]) -> Any:
    """Return lines for a chart, in this owner's time alone; roll-ups for a week and more."""
    device = device_for(caller_of(request), device_id, _READ)
    span, now = next(one for one in Span if one.key == wanted.span), now_us()
    lines = [
        {"name": line.name, "unit": line.unit, "dots": [dot._asdict() for dot in line.dots]}
        for line in lines_of(device, span, now, wanted.name)
    ]
    return {"until_us": now, "since_us": now - span.back_us, "lines": lines}


@router.get(
    "/devices/{device_id}/readings/file",
    response={200: str},
    operation_id="get_readings_file",
    openapi_extra=needs(*_READ) | sends("text/csv", "application/vnd.apache.parquet"),
)
def get_file(request: HttpRequest, device_id: DeviceId, wanted: Query[FileOf]) -> Any:
    """Return the readings of some days as a file, in this owner's time alone."""
    device = device_for(caller_of(request), device_id, _READ)
    file = file_of(device, wanted.since, wanted.until, wanted.kind)
    return streamed(request, file.pieces, file.media, file.name)


@router.get(
    "/activity", response={200: Activity}, operation_id="list_activity", openapi_extra=needs(*_HAPPENED)
)
def list_activity(
    request: HttpRequest,
    before_us: Annotated[int | None, Query(ge=0, le=LATEST_US, description="Only what was earlier.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Rows in one answer.")] = 40,
) -> Any:
    """List what happened to the devices that the caller sees, newest first."""
    caller = caller_of(request)
    found = happenings(caller, now_us() + 1 if before_us is None else before_us, limit)
    items = [
        {"at_us": one.at_us, "device_id": one.device.device_id, "kind": one.kind, "sentence": one.text}
        for one in found
    ]
    return {"items": items, "next_before_us": found[-1].at_us if len(found) == limit else None}


@router.get(
    "/summary",
    response={200: Summary},
    operation_id="get_summary",
    openapi_extra=needs(Permission.CUSTOMER_DEVICES_READ),
)
def get_summary(request: HttpRequest) -> Any:
    """Count the devices that the caller sees by how they are."""
    caller = caller_of(request)
    tally = tally_of(devices_visible_to(caller), now_us())
    return {name: getattr(tally, name) for name in Summary.model_fields}
