"""How the platform itself is, for the maker's staff: the roles' signs of life, and what waits."""

import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from doorstep.runtime.heartbeat import Pulse, read_all
from doorstep.server.accounts.queries import Principal
from doorstep.server.portal.access import staff_page

__all__ = ["health"]

_SILENT_S: Final = 30.0
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Role:
    name: str
    badge: str
    state: str
    beat_us: int
    started_us: int
    figures: list[tuple[str, str]]

    @classmethod
    def of(cls, name: str, pulse: Pulse, now: float) -> "_Role":
        waits_for = str(pulse.figures.get("waits_for", ""))
        badge, state = "good", "Running"
        if now - pulse.at > _SILENT_S:
            badge, state = "bad", "Silent"
        elif waits_for:
            badge, state = "wait", f"Waits for {waits_for}"
        told = [
            (name.replace("_", " "), _figure(value)) for name, value in pulse.figures.items() if value != ""
        ]
        return cls(name, badge, state, round(pulse.at * _US), round(pulse.started * _US), told)


@require_safe
@staff_page
def health(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the last sign of life of each role, with its figures."""
    now = time.time()
    roles = [_Role.of(name, pulse, now) for name, pulse in read_all(settings.STATE).items()]
    silent = sum(role.badge == "bad" for role in roles)
    return render(request, "portal/staff/health.html", {"roles": roles, "silent": silent})


def _figure(value: float | str) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)
