"""How the platform itself is, for the maker's staff: what ``doorstep status`` tells."""

import time
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from doorstep.server.accounts.queries import Principal
from doorstep.server.health import roles
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
    found, now = roles(), time.time()
    rows = [
        {
            "role": one,
            "badge": _BADGES.get(one.state, "bad"),
            "since_us": round((now - one.uptime_s) * _US) if one.uptime_s else None,
        }
        for one in found
    ]
    ill = sum(not one.healthy for one in found)
    return render(request, "portal/staff/health.html", {"rows": rows, "ill": ill})
