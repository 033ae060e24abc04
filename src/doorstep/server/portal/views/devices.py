"""The devices of an organisation, and one of them."""

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from doorstep.messaging.delivery import OPEN, Delivery
from doorstep.server.accounts.queries import Principal, actor_name
from doorstep.server.channels.models import Downlink
from doorstep.server.channels.queries import commands_of, detail_of, events_of, settings_of
from doorstep.server.clock import now_us
from doorstep.server.custody.attempts import attempts_on
from doorstep.server.custody.story import story_of
from doorstep.server.fleet.filters import Condition
from doorstep.server.fleet.gateways import children_of
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.narrowing import Wanted, devices_wanted
from doorstep.server.fleet.queries import (
    active_credential,
    last_revocation,
    last_trouble,
    rotations_of,
    status_of,
)
from doorstep.server.fleet.sites import sites_with_devices
from doorstep.server.fleet.visible import device_visible_to, devices_visible_to, groups_seen
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.asking import asked
from doorstep.server.portal.keyset import slice_of
from doorstep.server.portal.templatetags.portal import (
    COMMAND_TONES,
    TONES,
    seconds_between,
    unit_of,
)
from doorstep.server.readings.queries import Point, Window, latest_of, window_of
from doorstep.server.readings.words import label_of

__all__ = ["find", "live", "one", "overview"]

_CONDITIONS: Final = {
    Condition.ATTENTION: gettext_lazy("Needs attention"),
    Condition.LIVE: gettext_lazy("Live"),
    Condition.QUIET: gettext_lazy("Quiet"),
    Condition.WAITING: gettext_lazy("Waiting for data"),
    Condition.REVOKED: gettext_lazy("Revoked"),
}
_TABLE_ROWS: Final = 60
COMMANDS_SHOWN: Final = 6
EVENTS_SHOWN: Final = 6
_MOST_DIGITS: Final = 18
"""Of a time in microseconds; more fit no column, and thousands no number."""


@require_safe
@customer_page
def overview(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the devices that somebody sees, with status and last values."""
    wanted = _wanted(request)
    page = slice_of(request, devices_wanted(principal, wanted, now_us()), ("alias", "serial"))
    context = {
        "page": page,
        "search": wanted.search,
        "wanted": wanted,
        "conditions": _CONDITIONS.items(),
        "sites": sites_with_devices(principal),
        "groups": groups_seen(principal),
        "narrowed": wanted != Wanted(),
        "query": _query(request),
        "latest": latest_of(page.rows),
    }
    return render(request, "portal/devices.html", context)


def _wanted(request: HttpRequest) -> Wanted:
    condition = next((one for one in Condition if one.value == request.GET.get("status")), None)
    return Wanted(asked(request, "q", 80), condition, _number(request, "site"), _number(request, "group"))


def _number(request: HttpRequest, name: str) -> int | None:
    text = asked(request, name, _MOST_DIGITS)
    return int(text) if text.isdecimal() and text.isascii() else None


def _query(request: HttpRequest) -> str:
    """Return what stays in the address when somebody turns the page."""
    query = request.GET.copy()
    query.pop("before", None)
    query.pop("after", None)
    return query.urlencode()


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
        "story": story_of(device, principal.organisation),
        "attempts": attempts_on(device),
        "case": device.disputes.filter(closed_at_us=None).first() if device.disputed else None,
        "replaced": device.replaced.filter(organisation=principal.organisation).first(),
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
        "status": {"word": _(status.value), "tone": TONES[status]},
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
        "word": _(row.state.capitalize()),
        "open": Delivery(row.state) in OPEN,
        "tone": COMMAND_TONES[Delivery(row.state)],
        "detail": detail_of(row),
    }


def _revocation_text(revocation: Revocation | None) -> str:
    if revocation is None:
        return ""
    if revocation.purged_us is None:
        return "Closing its connections and removing what is queued for it …"
    return f"Finished in {seconds_between(revocation.purged_us, revocation.asked_us)}."
