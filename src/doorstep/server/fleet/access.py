"""Devices as a caller of the REST API may see them. Missing and forbidden look alike."""

from django.db.models import QuerySet

from doorstep.errors import RefusedError
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.visible import in_groups

__all__ = [
    "READ",
    "REVOKE",
    "ROTATE",
    "NoSuchDevice",
    "NotPermitted",
    "device_for",
    "devices_for",
    "named_device",
    "require",
]

READ = (
    Permission.MAKER_DEVICES_READ,
    Permission.WHOLESALER_DEVICES_READ,
    Permission.CUSTOMER_DEVICES_READ,
)
REVOKE = (Permission.MAKER_DEVICES_REVOKE, Permission.CUSTOMER_DEVICES_REVOKE)
ROTATE = REVOKE
"""Who may end a device's keys may replace them."""


class NotPermitted(RefusedError):
    """The caller lacks a permission."""


class NoSuchDevice(RefusedError):
    """There is no such device, or none that the caller may see."""

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"there is no device {device_id[:40]!a} here",
            next_step="Compare the id with the label, and check for which organisation you act.",
        )


def require(caller: Caller, *permissions: Permission) -> None:
    """Return when the caller has one of the permissions, raise NotPermitted otherwise."""
    if not any(caller.may(permission) for permission in permissions):
        raise NotPermitted(
            "this key or role lacks the permission",
            next_step=f"It takes one of: {', '.join(permissions)}.",
        )


def devices_for(caller: Caller, permissions: tuple[Permission, ...] = READ) -> QuerySet[Device]:
    """Return the devices to which a caller's permission reaches; raise NotPermitted when they have none."""
    require(caller, *permissions)
    devices = Device.objects.select_related("product", "batch", "legacy").order_by("device_id")
    match OrganisationKind(caller.organisation.kind):
        case OrganisationKind.MAKER:
            return devices
        case OrganisationKind.WHOLESALER:
            return devices.filter(sale_line__sale__wholesaler=caller.organisation, owner=None)
        case OrganisationKind.CUSTOMER:
            return in_groups(devices.filter(owner=caller.organisation), caller.groups)


def device_for(caller: Caller, device_id: str, permissions: tuple[Permission, ...] = READ) -> Device:
    """Return one of these devices; raise NoSuchDevice, also when it is somebody else's."""
    device = devices_for(caller, permissions).filter(device_id=ascii(device_id)[1:-1]).first()
    if device is None:
        raise NoSuchDevice(device_id)
    return device


def named_device(name: str) -> Device:
    """Return the device with this id or serial, for the operator; raise NoSuchDevice."""
    device = Device.objects.filter(device_id=name).first() or Device.objects.filter(serial=name).first()
    if device is None:
        raise NoSuchDevice(name)
    return device
