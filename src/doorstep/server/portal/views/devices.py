"""The devices of an organisation, and one of them."""

from typing import Any, Final

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from doorstep.messaging.delivery import Delivery
from doorstep.server.accounts.queries import Principal, actor_name
from doorstep.server.channels.models import Downlink
from doorstep.server.channels.queries import commands_of, detail_of, events_of, settings_of
from doorstep.server.clock import now_us
from doorstep.server.fleet.gateways import children_of
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.queries import (
    active_credential,
    last_revocation,
    last_trouble,
    rotations_of,
    status_of,
)
from doorstep.server.fleet.visible import device_visible_to, devices_visible_to
from doorstep.server.portal.access import customer_page, member_page
from doorstep.server.portal.asking import asked
from doorstep.server.portal.ledger import story_of
from doorstep.server.portal.templatetags.portal import (
    COMMAND_TONES,
    TONES,
    label_of,
    seconds_between,
    unit_of,
)
from doorstep.server.readings.queries import Point, Window, latest_of, window_of

__all__ = ["DEVICES_A_PAGE", "find", "home", "live", "one", "overview"]

DEVICES_A_PAGE: Final = 50
_TABLE_ROWS: Final = 60
COMMANDS_SHOWN: Final = 6
EVENTS_SHOWN: Final = 6
_MOST_DIGITS: Final = 18
"""Of a time in microseconds; more fit no column, and thousands no number."""


@require_safe
@member_page
def home(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Send people to what they come for."""
    if principal.is_maker:
        return redirect("products")
    return redirect("devices" if principal.is_customer else "people")


@require_safe
@customer_page
def overview(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the organisation's devices with status and last values."""
    search = asked(request, "q", 80)
    page = Paginator(devices_visible_to(principal, search), DEVICES_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "search": search, "latest": latest_of(list(page))}
    return render(request, "portal/devices.html", context)


@require_safe
@customer_page
def one(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Show one device: live values, identity and keys, ledger, and how to revoke it."""
    device = find(principal, device_id)
    window = window_of(device)
    revocation = last_revocation(device)
    context = {
        "device": device,
        "latest": latest_of([device]).get(device.pk, ()),
        "rows": list(reversed(window.points))[:_TABLE_ROWS],
        "live": _live(device, window),
        "commands": commands_of(device)[:COMMANDS_SHOWN],
        "settings": settings_of(device),
        "events": events_of(device, EVENTS_SHOWN),
        "credential": active_credential(device),
        "rotations": rotations_of(device, 3),
        "revocation": revocation,
        "trouble": last_trouble(device),
        "revoked_by": actor_name(revocation.asked_by, principal) if revocation else "",
        "sealed": getattr(device, "sealed", None),
        "story": story_of(device),
        "gateway": _gateway(principal, device),
        "children": children_of(device, principal.groups),
    }
    return render(request, "portal/device.html", context)


@require_safe
@customer_page
def live(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Return the readings that arrived after ``after_us``, and the status, for the page's script."""
    device = find(principal, device_id)
    after = request.GET.get("after_us", "0")
    if not after.isdecimal() or len(after) > _MOST_DIGITS:
        return JsonResponse({"detail": "after_us must be microseconds since 1970."}, status=400)
    return JsonResponse(_live(device, window_of(device, int(after))))


def find(principal: Principal, device_id: str) -> Device:
    """Return a device of the principal; raise Http404 when it is missing or somebody else's."""
    try:
        return device_visible_to(principal, device_id)
    except Device.DoesNotExist as error:
        raise Http404 from error


def _gateway(principal: Principal, device: Device) -> Device | None:
    """Return what carries the device's messages, if the principal sees that too."""
    above = device.gateway_id
    return None if above is None else devices_visible_to(principal).filter(pk=above).first()


def _live(device: Device, window: Window) -> dict[str, Any]:
    now = now_us()
    status = status_of(device, now)
    return {
        "now_us": now,
        "last_seen_us": device.last_seen_us,
        "next_after_us": window.next_after_us,
        "status": {"word": status.value, "tone": TONES[status]},
        "revocation": _revocation_text(last_revocation(device)),
        "points": [_point(point) for point in window.points],
        "commands": [_command(row) for row in commands_of(device)[:COMMANDS_SHOWN]],
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "name": point.name,
        "label": label_of(point.name),
        "unit": unit_of(point),
        "time_us": point.time_us,
        "value": point.value,
    }


def _command(row: Downlink) -> dict[str, Any]:
    return {
        "id": row.command_id,
        "word": row.state.capitalize(),
        "tone": COMMAND_TONES[Delivery(row.state)],
        "detail": detail_of(row),
    }


def _revocation_text(revocation: Revocation | None) -> str:
    if revocation is None:
        return ""
    if revocation.purged_us is None:
        return "Closing its connections and removing what is queued for it …"
    return f"Finished in {seconds_between(revocation.purged_us, revocation.asked_us)}."
