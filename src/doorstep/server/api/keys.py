"""Keys of a device: replace them, and see how far that is."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Status

from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.fleet.access import ROTATE, device_for
from doorstep.server.fleet.models import Device, KeyRotation
from doorstep.server.fleet.rotation import begin_rotation

__all__ = ["router"]

router = Router(tags=["devices"])


class RotateIn(Schema, extra="forbid"):
    """Which key."""

    key: Literal["root", "certificate", "exchange"] = "root"
    """``root``: of its sealed messages; ``exchange``: the same by EDHOC, so that a thief of the old root
    cannot follow; ``certificate``: the operational one."""


class RotationOut(Schema):
    """A replacement of a key. Times are microseconds since 1970."""

    device_id: str
    """Of the device, as its label and lists have it."""
    number: int
    """Of the replacement, counted for each device."""
    kind: str
    """fresh, owner or exchanged (the sealed root), or certificate."""
    stage: str
    """offered: the platform waits for the device; staged: the old and the new key work; settled."""
    outcome: str
    """done or abandoned, once it is settled."""
    detail: str
    """Why it waits, or was abandoned."""
    asked_by: str
    """Who asked for it, as the ledger names them."""
    asked_us: int
    """When it was asked for."""
    staged_us: int | None
    """When both keys began to work."""
    settled_us: int | None
    """When it was settled."""


class RotationPage(Page[RotationOut]):
    """Replacements of a device's keys, newest first."""


@router.post(
    "/devices/{device_id}/keys/rotate",
    response={202: RotationOut},
    operation_id="rotate_key",
    openapi_extra=needs(*ROTATE),
)
def rotate(request: HttpRequest, device_id: DeviceId, which: RotateIn) -> Any:
    """Begin to replace a key; one that is under way is returned. Both work until the new one is in use."""
    caller = caller_of(request)
    device = device_for(caller, device_id, ROTATE)
    rotation = begin_rotation(device, which.key, caller.actor, now_us=now_us())
    return Status(202, _shown(device, rotation))


@router.get(
    "/devices/{device_id}/keys/rotations",
    response={200: RotationPage},
    operation_id="list_key_rotations",
    openapi_extra=needs(*ROTATE),
)
def rotations(
    request: HttpRequest, device_id: DeviceId, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List the replacements of a device's keys."""
    device = device_for(caller_of(request), device_id, ROTATE)
    return page(device.rotations.all(), "-number", lambda row: _shown(device, row), cursor, limit)


def _shown(device: Device, row: KeyRotation) -> dict[str, Any]:
    names = (
        "number",
        "kind",
        "stage",
        "outcome",
        "detail",
        "asked_by",
        "asked_us",
        "staged_us",
        "settled_us",
    )
    return {"device_id": device.device_id} | {name: getattr(row, name) for name in names}
