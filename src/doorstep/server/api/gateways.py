"""Gateways: whose messages they may carry."""

from typing import Any

from django.http import HttpRequest
from ninja import Status

from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.fleet.access import device_for
from doorstep.server.fleet.gateways import attach_child, children_of, detach_child
from doorstep.server.fleet.models import Device

__all__ = ["router"]

router = Router(tags=["gateways"])

_READ = (Permission.CUSTOMER_DEVICES_READ,)
_WRITE = (Permission.CUSTOMER_GATEWAYS_WRITE,)


class ChildOut(Schema):
    """A device behind a gateway."""

    device_id: str
    """Of the device, as its label and lists have it."""
    alias: str
    """The name that its owner gave it; may be empty."""
    last_seen_us: int | None
    """When its newest message was stored."""


class ChildrenOut(Schema):
    """The devices whose messages a gateway may carry."""

    gateway: str
    """Id of the gateway."""
    items: list[ChildOut]
    """By name."""


@router.get(
    "/devices/{device_id}/children",
    response={200: ChildrenOut},
    operation_id="list_children",
    openapi_extra=needs(*_READ),
)
def list_children(request: HttpRequest, device_id: DeviceId) -> Any:
    """List the devices behind a gateway."""
    return _shown(caller_of(request), device_for(caller_of(request), device_id, _READ))


@router.put(
    "/devices/{device_id}/children/{child_id}",
    response={200: ChildrenOut},
    operation_id="attach_child",
    openapi_extra=needs(*_WRITE),
)
def attach(request: HttpRequest, device_id: DeviceId, child_id: DeviceId) -> Any:
    """Let a gateway carry a device's messages, and no other any more. Asked again, nothing changes."""
    caller = caller_of(request)
    gateway = device_for(caller, device_id, _WRITE)
    attach_child(gateway, device_for(caller, child_id, _WRITE))
    return _shown(caller, gateway)


@router.delete(
    "/devices/{device_id}/children/{child_id}",
    response={204: None},
    operation_id="detach_child",
    openapi_extra=needs(*_WRITE),
)
def detach(request: HttpRequest, device_id: DeviceId, child_id: DeviceId) -> Any:
    """Cut a device off from its gateway at once; what the gateway still holds of it is refused."""
    caller = caller_of(request)
    gateway = device_for(caller, device_id, _WRITE)
    child = _child(caller, gateway, child_id)
    if child is not None:
        detach_child(child)
    return Status(204, None)


def _child(caller: Caller, gateway: Device, child_id: str) -> Device | None:
    child = device_for(caller, child_id, _WRITE)
    return child if child.gateway_id == gateway.pk else None


def _shown(caller: Caller, gateway: Device) -> dict[str, Any]:
    rows = children_of(gateway, caller.groups)
    return {
        "gateway": gateway.device_id,
        "items": [
            {"device_id": row.device_id, "alias": row.alias, "last_seen_us": row.last_seen_us} for row in rows
        ],
    }
