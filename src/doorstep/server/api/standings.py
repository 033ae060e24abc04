"""How far a device and its label are trusted, why, and what the staff decides about them."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Status

from doorstep.ownership.label import LabelState, LabelStep
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId, Reason
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.labels import replace_label, report_label
from doorstep.server.fleet.access import READ, device_for
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.standings import clear_device, history_of, quarantine_device

__all__ = ["router"]

router = Router(tags=["devices"])
_DECIDES = (Permission.MAKER_DEVICES_REVOKE,)
_VOUCHES = (Permission.MAKER_CLAIMS_VOUCH,)


class WhyIn(Schema, extra="forbid"):
    """Why."""

    reason: Reason
    """Why."""


class ChangeOut(Schema):
    """A change of standing, in words for the device's owner."""

    at_us: int
    """When."""
    before: str
    """Standing before."""
    after: str
    """Standing since."""
    step: str
    """What happened: suspect, quarantine, clear, block or lift."""
    evidence: str
    """alternation, fork or tag_failures; empty when people decided."""
    sentence: str
    """The same in plain words."""
    by: str
    """Who did it, as the ledger names them."""


class StandingOut(Schema):
    """How far a device is trusted now, and how it came to that, newest first."""

    device_id: str
    """Of the device, as its label and lists have it."""
    standing: str
    """ok, suspected, quarantined or blocked."""
    changes: list[ChangeOut]
    """Newest first."""


class LabelIn(Schema, extra="forbid"):
    """What happened to a label."""

    step: Literal[LabelStep.REPORT, LabelStep.REPLACE]
    """``report``: its foil was off, so its code counts for nobody; ``replace``: it gets a new code."""


class LabelOut(Schema):
    """A label as it is now."""

    device_id: str
    """Of the device, as its label and lists have it."""
    state: LabelState
    """sealed, scratched or tampered."""
    code: str
    """The new code as it is printed, shown this once; empty when there is none."""


@router.get(
    "/devices/{device_id}/standing",
    response={200: StandingOut},
    operation_id="get_standing",
    openapi_extra=needs(*READ),
)
def get_standing(request: HttpRequest, device_id: DeviceId) -> Any:
    """Return how far a device is trusted and why; its owner and the staff may ask."""
    return _shown(device_for(caller_of(request), device_id))


@router.post(
    "/devices/{device_id}/quarantine",
    response={202: StandingOut},
    operation_id="quarantine_device",
    openapi_extra=needs(*_DECIDES),
)
def quarantine(request: HttpRequest, device_id: DeviceId, why: WhyIn) -> Any:
    """Accept nothing of a device until somebody decides; its certificates are kept."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _DECIDES)
    return Status(202, _shown(quarantine_device(device, caller.actor, why.reason, now_us=now_us())))


@router.post(
    "/devices/{device_id}/clear",
    response={200: StandingOut},
    operation_id="clear_device",
    openapi_extra=needs(*_DECIDES),
)
def clear(request: HttpRequest, device_id: DeviceId, why: WhyIn) -> Any:
    """End a suspicion or a quarantine."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _DECIDES)
    return _shown(clear_device(device, caller.actor, why.reason, now_us=now_us()))


@router.post(
    "/devices/{device_id}/label",
    response={200: LabelOut},
    operation_id="step_label",
    openapi_extra=needs(*_VOUCHES),
)
def step_label(request: HttpRequest, device_id: DeviceId, told: LabelIn) -> Any:
    """Note that a label was tampered with, or give a device that nobody owns a new code."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _VOUCHES)
    code = ""
    if told.step is LabelStep.REPLACE:
        code = replace_label(device, caller.actor, now_us())
    else:
        report_label(device, caller.actor, now_us())
    device.refresh_from_db()
    return {"device_id": device.device_id, "state": device.label_state, "code": code}


def _shown(device: Device) -> dict[str, Any]:
    fields = tuple(ChangeOut.model_fields)
    changes = [{name: getattr(row, name) for name in fields} for row in history_of(device)]
    return {"device_id": device.device_id, "standing": device.standing, "changes": changes}
