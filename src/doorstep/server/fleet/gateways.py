"""Which gateway may carry the messages of which device: its owner says it, for devices of theirs alone."""

from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from doorstep.errors import RefusedError
from doorstep.ownership.life import Life
from doorstep.runtime.control import nudge
from doorstep.server.audit.notes import keep
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.visible import in_groups

__all__ = ["MAX_CHILDREN", "GatewayRefused", "attach_child", "children_of", "detach_child"]

MAX_CHILDREN: Final = 128
"""Devices behind one gateway: their topics stand in one answer to the broker, which has a cap."""


class GatewayRefused(RefusedError):
    """The device can't be put behind that gateway."""


def attach_child(gateway: Device, child: Device) -> None:
    """Let ``gateway`` carry the messages of ``child``, and no other gateway any more.

    The caller has checked that whoever asks may do so for both. Raises GatewayRefused.
    """
    with transaction.atomic():
        rows = Device.objects.select_for_update().order_by("pk").in_bulk([gateway.pk, child.pk])
        above, below = rows[gateway.pk], rows[child.pk]
        _check(above, below)
        below.gateway = above
        below.save(update_fields=["gateway"])
        _tell()


def detach_child(child: Device) -> None:
    """Let no gateway carry the messages of ``child``: its present one is cut off at once."""
    with transaction.atomic():
        keep(child)
        Device.objects.filter(pk=child.pk).update(gateway=None)
        _tell()


def children_of(gateway: Device, groups: frozenset[int] | None = None) -> QuerySet[Device]:
    """Return the devices behind a gateway that have its owner, by name; of ``groups`` alone if there are."""
    children = gateway.children.filter(owner=gateway.owner_id).select_related("product")
    return in_groups(children, groups).order_by("alias", "serial")


def _check(gateway: Device, child: Device) -> None:
    if gateway.owner_id is None or gateway.owner_id != child.owner_id:
        raise GatewayRefused(
            f"{gateway.device_id} and {child.device_id} do not belong to the same owner",
            next_step="Register both for one organisation first.",
        )
    for device in (gateway, child):
        if device.blocked or device.life != Life.OWNED:
            raise GatewayRefused(f"{device.device_id} is revoked, or not in its owner's hands")
    if gateway.pk == child.pk or gateway.gateway_id is not None or child.children.exists():
        raise GatewayRefused(
            "a gateway stands behind no other gateway",
            next_step="Attach the devices to one gateway directly.",
        )
    if child.gateway_id != gateway.pk and gateway.children.count() >= MAX_CHILDREN:
        raise GatewayRefused(
            f"{gateway.device_id} has {MAX_CHILDREN} devices behind it, and takes no more",
            next_step="Use another gateway for this one.",
        )


def _tell() -> None:
    """Make the broker's side look at once; without it, it looks twice a second."""
    transaction.on_commit(lambda: nudge(settings.DOORSTEP, settings.KEY_FILE))
