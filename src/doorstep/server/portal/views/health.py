"""How the platform itself is, for the maker's staff: what ``doorstep status`` tells."""

import time
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from doorstep.errors import UnavailableError
from doorstep.runtime.health import report
from doorstep.server.accounts.queries import Principal
from doorstep.server.portal.access import staff_page

__all__ = ["health"]

_BADGES: Final = {
    "running": "good",
    "waiting": "wait",
    "starting": "wait",
    "stopping": "wait",
    "stalled": "wait",
}
"""By state; any other is bad."""
_US: Final = 1_000_000


@require_safe
@staff_page
def health(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show how each role stands, in the order in which they start."""
    now = time.time()
    try:
        roles = report(settings.STATE, now)
    except UnavailableError:  # they run on other machines
        roles = []
    rows = [
        {
            "role": one,
            "badge": _BADGES.get(one.state, "bad"),
            "since_us": round((now - one.uptime_s) * _US) if one.uptime_s else None,
        }
        for one in roles
    ]
    ill = sum(not one.healthy for one in roles)
    return render(request, "portal/staff/health.html", {"rows": rows, "ill": ill})
