"""Devices, and the end of one."""

from typing import Any, Final

from django.http import HttpRequest
from ninja import Query, Status

from doorstep.ownership.life import Life
from doorstep.ownership.standing import Standing
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import Caller
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId, Line, Reason, RowNumber
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.fleet.access import READ, REVOKE, device_for, devices_for
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.filters import Condition
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.narrowing import Wanted, devices_wanted

__all__ = ["router"]

router = Router(tags=["devices"])


class DeviceOut(Schema):
    """A device."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Key of its product."""
    batch: str
    """Number of its batch."""
    life: str
    """made, stocked, dispatched, sold, onboarded, owned, transferred, returned, swapped or scrapped."""
    blocked: bool
    """Nothing of it is accepted: it is blocked or in quarantine."""
    standing: str
    """ok, suspected, quarantined or blocked."""
    disputed: bool
    """Somebody else claims it."""
    owned: bool
    """Whether anybody owns it."""
    alias: str
    """The name its owner gave it; empty for everybody else."""
    weak_setup: list[str]
    """Keys of the weak onboarding methods that it was made with; none is best."""
    insecure_formats: list[str]
    """The legacy message format that is taken of it; none is best."""
    last_seen_us: int | None
    """When its newest message was stored; only for its owner."""


class DeviceFilter(Schema):
    """Which devices."""

    serial: Line | None = None
    """Of the device, as its label has it."""
    product: Line | None = None
    """Key of its product."""
    batch: Line | None = None
    """Number of its batch."""
    life: Life | None = None
    """How far its life is."""
    standing: Standing | None = None
    """How far it is trusted."""
    disputed: bool | None = None
    """Somebody else claims it."""
    search: Line | None = None
    """Words of its name, serial, product or site; as all that follow only for the owner of the devices."""
    condition: Condition | None = None
    """How it is now."""
    site: RowNumber | None = None
    """Number of the site where it stands."""
    group: RowNumber | None = None
    """Number of a device group that it stands in."""


_COLUMNS: Final = {"product": "product__key", "batch": "batch__number"}


class DevicePage(Page[DeviceOut]):
    """Devices by id."""


class RevokeIn(Schema, extra="forbid"):
    """Why."""

    reason: Reason
    """Why."""


class RevocationOut(Schema):
    """A revocation and how far it is. Times are microseconds since 1970."""

    device_id: str
    """Of the device, as its label and lists have it."""
    reason: str
    """Why."""
    asked_us: int
    """When it was asked for."""
    kicked_us: int | None
    """Every session of the device was closed."""
    purged_us: int | None
    """Its queued and retained messages are gone: the revocation is finished."""
    sessions_kicked: int
    """How many sessions were closed."""
    messages_purged: int
    """How many messages were removed."""
    effective_us: int | None
    """From then on nothing of it was accepted."""
    last_accepted_us: int | None
    """When the last message that was accepted had arrived."""


@router.get("/devices", response={200: DevicePage}, operation_id="list_devices", openapi_extra=needs(*READ))
def list_devices(
    request: HttpRequest, wanted: Query[DeviceFilter], cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List the devices that the caller may see, by device id; all, or those that fit every filter."""
    caller = caller_of(request)
    asked = wanted.dict(exclude_none=True)
    owners = {name: asked.pop(name) for name in Wanted._fields if name in asked}
    fits = {_COLUMNS.get(name, name): value for name, value in asked.items()}
    rows = devices_for(caller).filter(**fits)
    if owners:
        rows = rows.filter(pk__in=devices_wanted(caller, Wanted(**owners), now_us()).order_by().values("pk"))
    return page(rows, "device_id", lambda row: _shown(caller, row), cursor, limit)


@router.get(
    "/devices/{device_id}",
    response={200: DeviceOut},
    operation_id="get_device",
    openapi_extra=needs(*READ),
)
def get_device(request: HttpRequest, device_id: DeviceId) -> Any:
    """Return one device."""
    caller = caller_of(request)
    return _shown(caller, device_for(caller, device_id))


@router.post(
    "/devices/{device_id}/revoke",
    response={202: RevocationOut},
    operation_id="revoke_device",
    openapi_extra=needs(*REVOKE),
)
def revoke(request: HttpRequest, device_id: DeviceId, why: RevokeIn) -> Any:
    """Revoke a device: nothing of it is accepted from now on. Asked again, it tells how far it is."""
    caller = caller_of(request)
    device = device_for(caller, device_id, REVOKE)
    revocation = revoke_device(device, caller.actor, why.reason, now_us=now_us())
    return Status(202, _revocation(device, revocation))


def _shown(caller: Caller, device: Device) -> dict[str, Any]:
    is_owners = caller.organisation.kind == OrganisationKind.CUSTOMER
    return {
        "device_id": device.device_id,
        "serial": device.serial,
        "product": device.product.key,
        "batch": device.batch.number,
        "life": device.life,
        "blocked": device.blocked,
        "standing": device.standing,
        "disputed": device.disputed,
        "owned": device.owner_id is not None,
        "alias": device.alias if is_owners else "",
        "weak_setup": [method.key for method in device.weak_setup],
        "insecure_formats": list(device.insecure_formats),
        "last_seen_us": device.last_seen_us if is_owners else None,
    }


def _revocation(device: Device, row: Revocation) -> dict[str, Any]:
    return {
        "device_id": device.device_id,
        "reason": row.reason,
        "asked_us": row.asked_us,
        "kicked_us": row.kicked_us,
        "purged_us": row.purged_us,
        "sessions_kicked": row.sessions_kicked,
        "messages_purged": row.messages_purged,
        "effective_us": row.effective_us,
        "last_accepted_us": row.last_accepted_us,
    }
