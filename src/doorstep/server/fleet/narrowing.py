"""Which of their devices an owner wants to see in a list."""

from typing import NamedTuple

from django.db.models import QuerySet

from doorstep.server.fleet.filters import Condition, in_condition
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.sites import devices_at
from doorstep.server.fleet.visible import Sees, devices_visible_to, in_groups

__all__ = ["Wanted", "devices_wanted"]


class Wanted(NamedTuple):
    """What a list is narrowed to; by nothing, as it stands."""

    search: str = ""
    condition: Condition | None = None
    site: int | None = None
    """Its number."""
    group: int | None = None
    """Its number."""


def devices_wanted(somebody: Sees, wanted: Wanted, now_us: int) -> QuerySet[Device]:
    """Return the devices that their organisation owns, they see, and that fit, by name."""
    devices = devices_visible_to(somebody, wanted.search)
    if wanted.condition is not None:
        devices = in_condition(devices, wanted.condition, now_us)
    if wanted.site is not None:
        devices = devices_at(devices, wanted.site)
    if wanted.group is not None:
        devices = in_groups(devices, frozenset({wanted.group}))
    return devices
