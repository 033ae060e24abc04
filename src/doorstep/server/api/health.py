"""How the platform's own parts are, for the maker's staff."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.health import roles

__all__ = ["router"]

router = Router(tags=["health"])


class RoleOut(Schema):
    """One part of the platform."""

    role: str
    """Its name."""
    state: str
    """waiting, starting, running, stalled, silent, broken (it comes back), stopping or stopped."""
    pid: int | None
    """Number of its process."""
    uptime_s: float
    """Seconds since it runs."""
    restarts: int
    """How often it was started again."""
    reason: str
    """Why it does not serve, or why it was started again last."""
    figures: dict[str, float | str]
    """What it counts, by names of its own."""


class HealthOut(Schema):
    """All parts that run beside the portal."""

    roles: list[RoleOut]
    """In the order in which they start; none where they run on other machines."""


@router.get(
    "/health",
    response={200: HealthOut},
    operation_id="get_health",
    openapi_extra=needs(Permission.MAKER_HEALTH_READ),
)
def get_health(request: HttpRequest) -> Any:
    """Say how each part of the platform is, as `doorstep status` does."""
    return {"roles": [asdict(role) for role in roles()]}
