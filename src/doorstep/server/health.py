"""How the platform's own parts are, as its staff may read it."""

import time

from django.conf import settings

from doorstep.errors import UnavailableError
from doorstep.runtime.health import RoleReport, report

__all__ = ["roles"]


def roles() -> list[RoleReport]:
    """Return every role beside this one in start order; none where they run on other machines."""
    try:
        return report(settings.STATE, time.time())
    except UnavailableError:
        return []
