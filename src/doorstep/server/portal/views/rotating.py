"""Replace a device's root: a button on its page."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.rotation import CannotRotate, rotate_root
from doorstep.server.portal.access import customer_page, staff_page
from doorstep.server.portal.views.devices import find

__all__ = ["rotate", "rotate_as_staff"]


@require_POST
@customer_page
def rotate(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Give a customer's device a new key."""
    return _rotate(request, principal, find(principal, device_id), "device")


@require_POST
@staff_page
def rotate_as_staff(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Give any device a new key."""
    return _rotate(request, principal, get_object_or_404(Device, device_id=device_id), "staff-device")


def _rotate(request: HttpRequest, principal: Principal, device: Device, page: str) -> HttpResponse:
    if not principal.may_revoke:
        raise PermissionDenied
    try:
        rotate_root(device, principal.actor, now_us=now_us())
    except CannotRotate as refusal:
        messages.error(request, f"{refusal.message}. {refusal.next_step}".strip())
    else:
        messages.success(
            request, f"{device} gets a new key as soon as it shows itself. It keeps working meanwhile."
        )
    return redirect(page, device_id=device.device_id)
