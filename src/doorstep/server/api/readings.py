"""Readings of one device, for its owner."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.fleet.access import device_for
from doorstep.server.readings.queries import MAX_MESSAGES, window_of

__all__ = ["router"]

router = Router(tags=["readings"])


class PointOut(Schema):
    """One value that a device said."""

    name: str
    """As the device calls it."""
    unit: str
    """In SenML's words; may be empty."""
    time_us: int
    """Its time, by the device's clock or else by its arrival."""
    value: float | bool | str
    """A number, a yes or no, or a text."""


class ReadingOut(PointOut):
    """One reading."""

    channel: str
    """``data`` for sealed messages; a legacy format's name for those that are insecure."""


class Readings(Schema):
    """Readings, oldest first. ``next_after_us`` goes into the next question."""

    points: list[ReadingOut]
    """By time."""
    next_after_us: int
    """For the next question."""


@router.get(
    "/devices/{device_id}/readings",
    response={200: Readings},
    operation_id="list_readings",
    openapi_extra=needs(Permission.CUSTOMER_READINGS_READ),
)
def list_readings(
    request: HttpRequest,
    device_id: DeviceId,
    after_us: Annotated[int, Query(ge=0, description="Only what arrived later, in microseconds.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_MESSAGES, description="Messages that are decoded.")] = 100,
) -> Any:
    """Return the newest readings that arrived after ``after_us``, in this owner's time alone."""
    device = device_for(caller_of(request), device_id, (Permission.CUSTOMER_READINGS_READ,))
    window = window_of(device, after_us, limit)
    points = [
        {
            "name": one.name,
            "unit": one.unit,
            "time_us": one.time_us,
            "value": one.value,
            "channel": one.channel,
        }
        for one in window.points
    ]
    return {"points": points, "next_after_us": window.next_after_us}
