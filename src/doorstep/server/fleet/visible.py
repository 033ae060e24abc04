"""Which devices of an organisation somebody sees: all, or those of the groups granted to them.

Every page, route and chart about owned devices reads through here. Missing and forbidden look alike.
"""

from typing import Protocol

from django.db.models import Exists, OuterRef, QuerySet

from doorstep.server.accounts.models import DeviceGroup, Organisation
from doorstep.server.fleet.models import Device, GroupedDevice
from doorstep.server.fleet.queries import devices_of

__all__ = ["Sees", "device_visible_to", "devices_visible_to", "groups_seen", "in_groups"]


class Sees(Protocol):
    """A principal of the portal or a caller of the REST API."""

    @property
    def organisation(self) -> Organisation:
        """For whom they act."""

    @property
    def groups(self) -> frozenset[int] | None:
        """Primary keys of the groups to which their sight is limited; None: it is not."""


def devices_visible_to(somebody: Sees, search: str = "") -> QuerySet[Device]:
    """Return the devices that their organisation owns and they see, by name."""
    return in_groups(devices_of(somebody.organisation, search), somebody.groups)


def device_visible_to(somebody: Sees, device_id: str) -> Device:
    """Return one of these devices; raise Device.DoesNotExist."""
    return devices_visible_to(somebody).select_related("owner").get(device_id=device_id)


def in_groups(devices: QuerySet[Device], groups: frozenset[int] | None) -> QuerySet[Device]:
    """Keep the devices that stand in one of these groups now; None keeps all."""
    if groups is None:
        return devices
    placings = GroupedDevice.objects.filter(
        group__in=groups,
        group__organisation=OuterRef("owner"),
        device=OuterRef("pk"),
        ownership_period=OuterRef("ownership_period"),
    )
    return devices.filter(Exists(placings))


def groups_seen(somebody: Sees) -> QuerySet[DeviceGroup]:
    """Return the groups whose devices somebody sees, by name."""
    groups = DeviceGroup.objects.filter(organisation=somebody.organisation).order_by("name")
    return groups if somebody.groups is None else groups.filter(pk__in=somebody.groups)
