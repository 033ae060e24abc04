"""Device groups: make, rename and end them, and say which device stands in which."""

from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet

from doorstep.errors import MisuseError, RefusedError
from doorstep.server.accounts.models import DeviceGroup, Organisation
from doorstep.server.fleet.models import Device, GroupedDevice
from doorstep.server.fleet.visible import Sees

__all__ = [
    "GROUPS_CAP",
    "NoSuchGroup",
    "group_at",
    "groups_seen_by",
    "groups_with",
    "make_group",
    "place",
    "remove_group",
    "rename_group",
    "take_out",
]

GROUPS_CAP: Final = 500
"""Groups of one organisation."""

_NAME_CAP: Final = 80


class NoSuchGroup(RefusedError):
    """There is no such group, or none that the caller sees."""

    def __init__(self) -> None:
        super().__init__("there is no group of this number here", next_step="List the groups first.")


def groups_seen_by(somebody: Sees) -> QuerySet[DeviceGroup]:
    """Return the groups that somebody sees, by name, each with its number of ``devices``."""
    here = Q(placings__device__owner=F("organisation")) & Q(
        placings__ownership_period=F("placings__device__ownership_period")
    )
    groups = DeviceGroup.objects.filter(organisation=somebody.organisation)
    if somebody.groups is not None:
        groups = groups.filter(pk__in=somebody.groups)
    return groups.annotate(devices=Count("placings", filter=here)).order_by("name", "pk")


def group_at(somebody: Sees, number: int) -> DeviceGroup:
    """Return one of these groups; raise NoSuchGroup."""
    group = groups_seen_by(somebody).filter(pk=number).first()
    if group is None:
        raise NoSuchGroup
    return group


def groups_with(device: Device, somebody: Sees) -> QuerySet[DeviceGroup]:
    """Return the groups that somebody sees a device in."""
    placed = GroupedDevice.objects.filter(device=device, ownership_period=device.ownership_period)
    return groups_seen_by(somebody).filter(pk__in=placed.values("group"))


def make_group(organisation: Organisation, name: str) -> DeviceGroup:
    """Make a group; raise MisuseError for a bad name or one that is taken."""
    name = _name(name)
    if DeviceGroup.objects.filter(organisation=organisation).count() >= GROUPS_CAP:
        raise MisuseError(
            f"{organisation} has {GROUPS_CAP} groups, and can't have more", next_step="Remove one first."
        )
    try:
        with transaction.atomic():
            return DeviceGroup.objects.create(organisation=organisation, name=name)
    except IntegrityError as error:
        raise _taken(name) from error


def rename_group(group: DeviceGroup, name: str) -> DeviceGroup:
    """Give a group another name; raise MisuseError as `make_group` does."""
    group.name = _name(name)
    try:
        with transaction.atomic():
            group.save(update_fields=["name"])
    except IntegrityError as error:
        raise _taken(group.name) from error
    return group


def remove_group(group: DeviceGroup) -> None:
    """End a group. Its devices stay; who saw them through it alone sees them no more; its keys end."""
    group.delete()


def place(device: Device, group: DeviceGroup) -> None:
    """Put a device into a group of its owner. Asked again, nothing changes."""
    if device.owner_id != group.organisation_id:
        raise NoSuchGroup
    GroupedDevice.objects.update_or_create(
        group=group, device=device, defaults={"ownership_period": device.ownership_period}
    )


def take_out(device: Device, group: DeviceGroup) -> None:
    """Take a device out of a group. Asked again, nothing changes."""
    GroupedDevice.objects.filter(group=group, device=device).delete()


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= _NAME_CAP or not name.isprintable():
        raise MisuseError(
            f"a group has a name of 1 to {_NAME_CAP} characters", next_step="Call it after a place or a use."
        )
    return name


def _taken(name: str) -> MisuseError:
    return MisuseError(f"there is a group {name!r} already", next_step="Use it, or another name.")
