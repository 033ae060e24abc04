"""A customer's first page, what needs them and what changed; and everything that happened."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from doorstep.server.accounts.queries import Principal
from doorstep.server.activity import happenings
from doorstep.server.clock import now_us
from doorstep.server.fleet.filters import Condition, in_condition, tally_of
from doorstep.server.fleet.sites import sites_with_devices
from doorstep.server.fleet.visible import devices_visible_to
from doorstep.server.portal.access import customer_page, member_page
from doorstep.server.portal.asking import asked
from doorstep.server.readings.thresholds import alerts_seen

__all__ = ["activity", "home"]

_NEEDED: Final = 5
_CHANGED: Final = 8
_A_PAGE: Final = 40
_SILENT_US: Final = 24 * 3600 * 1_000_000
"""A device that sent before and has sent nothing for a day is worth a look."""
_MOST_DIGITS: Final = 18


@require_safe
@member_page
def home(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Send staff and wholesalers to their work; show customers theirs."""
    if principal.is_maker:
        return redirect("products")
    if not principal.is_customer:
        return redirect("stock")
    now = now_us()
    devices = devices_visible_to(principal)
    silent = in_condition(devices, Condition.QUIET, now).filter(last_seen_us__lt=now - _SILENT_US)
    context = {
        "tally": tally_of(devices, now),
        "attention": in_condition(devices, Condition.ATTENTION, now)[:_NEEDED],
        "alerts": alerts_seen(principal).filter(closed_us=None).order_by("-opened_us", "-pk")[:_NEEDED],
        "silent": silent.order_by("-last_seen_us")[:_NEEDED],
        "sites": sites_with_devices(principal)[:_NEEDED],
        "changed": happenings(principal, now, _CHANGED),
    }
    return render(request, "portal/home.html", context)


@require_safe
@customer_page
def activity(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List what happened, newest first."""
    text = asked(request, "before", _MOST_DIGITS)
    before = int(text) if text.isdecimal() and text.isascii() else now_us() + 1
    found = happenings(principal, before, _A_PAGE)
    older = found[-1].at_us if len(found) == _A_PAGE else None
    return render(request, "portal/activity.html", {"found": found, "older": older, "first": not text})
