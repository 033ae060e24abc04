"""Devices, products and batches as somebody may see them. Missing and forbidden look alike."""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from doorstep.errors import RefusedError
from doorstep.ownership.standing import Standing
from doorstep.server.accounts.models import Organisation
from doorstep.server.fleet.models import Batch, Credential, Device, KeyRotation, Product, Revocation
from doorstep.server.fleet.trust import StandingChange

__all__ = [
    "LIVE_FOR_US",
    "NoSuchBatch",
    "Status",
    "active_credential",
    "all_batches",
    "all_products",
    "device_of",
    "devices_in",
    "devices_of",
    "find_batch",
    "known_hardware_ids",
    "last_revocation",
    "last_trouble",
    "rotations_of",
    "status_of",
]

LIVE_FOR_US: Final = 60_000_000
"""A device counts as live for a minute after its last message."""

_ASKED_AT_ONCE: Final = 1000


class Status(enum.Enum):
    """How a device is, in one word for a list; the value is what people read."""

    REVOKED = "Revoked"
    QUARANTINED = "In quarantine"
    SUSPECTED = "Suspected"
    DISPUTED = "Disputed"
    WAITING = "Waiting for data"
    LIVE = "Live"
    QUIET = "Quiet"


@dataclass(frozen=True, slots=True)
class _Search:
    text: str

    def narrow(self, devices: QuerySet[Device]) -> QuerySet[Device]:
        if not self.text:
            return devices
        return devices.filter(
            Q(alias__icontains=self.text)
            | Q(serial__icontains=self.text)
            | Q(device_id__iexact=self.text)
            | Q(product__name__icontains=self.text)
        )


def devices_of(organisation: Organisation, search: str = "") -> QuerySet[Device]:
    """Return the devices that the organisation owns, by name."""
    devices = Device.objects.filter(owner=organisation).select_related("product", "batch", "legacy")
    return _Search(search.strip()).narrow(devices).order_by("alias", "serial")


def device_of(organisation: Organisation, device_id: str) -> Device:
    """Return one device of the organisation; raise Device.DoesNotExist, also when it is somebody else's."""
    return devices_of(organisation).select_related("owner").get(device_id=device_id)


def status_of(device: Device, now_us: int) -> Status:
    """Judge how a device is now: what needs somebody comes first."""
    if device.standing == Standing.QUARANTINED:
        return Status.QUARANTINED
    if device.blocked:
        return Status.REVOKED
    if device.standing == Standing.SUSPECTED:
        return Status.SUSPECTED
    if device.disputed:
        return Status.DISPUTED
    if device.last_seen_us is None:
        return Status.WAITING
    return Status.LIVE if now_us - device.last_seen_us < LIVE_FOR_US else Status.QUIET


def active_credential(device: Device) -> Credential | None:
    """Return the operational certificate the device uses now."""
    return device.credentials.filter(state="active").order_by("-not_before_us").first()


def rotations_of(device: Device, limit: int = 20) -> list[KeyRotation]:
    """Return the newest replacements of a device's keys, newest first."""
    return list(device.rotations.order_by("-number")[:limit])


def last_revocation(device: Device) -> Revocation | None:
    """Return the newest revocation of a device that is shut out now."""
    rows = device.revocations.filter(handover=False).order_by("-asked_us")
    return rows.first() if device.blocked else None


def last_trouble(device: Device) -> StandingChange | None:
    """Return why a device is suspected or in quarantine; None when it is not."""
    if device.standing not in {Standing.SUSPECTED, Standing.QUARANTINED}:
        return None
    return device.standing_changes.order_by("-at_us", "-pk").first()


def known_hardware_ids(hardware_ids: Collection[str]) -> set[str]:
    """Return those of the hardware ids that a device has; each is there once."""
    known: set[str] = set()
    asked = iter(hardware_ids)
    while piece := [*islice(asked, _ASKED_AT_ONCE)]:
        rows = Device.objects.filter(hardware_id__in=piece)
        known.update(str(one) for one in rows.values_list("hardware_id", flat=True))
    return known


def all_products() -> QuerySet[Product]:
    """Return every product with how many devices it has and how many are owned; for the maker's staff."""
    return Product.objects.annotate(
        made=Count("devices"), owned=Count("devices", filter=Q(devices__owner__isnull=False))
    ).order_by("name")


class NoSuchBatch(RefusedError):
    """There is no batch of that number."""


def devices_in(batch: Batch) -> QuerySet[Device]:
    """Return the devices of a batch by serial."""
    return Device.objects.filter(batch=batch).select_related("product", "owner").order_by("serial")


def find_batch(number: str) -> Batch:
    """Return one of `all_batches`; raise NoSuchBatch."""
    row = all_batches().filter(number=ascii(number)[1:-1]).first()
    if row is None:
        raise NoSuchBatch(f"there is no batch {number[:40]!a}", next_step="List the batches.")
    return row


def all_batches() -> QuerySet[Batch]:
    """Return every batch, newest first, with how many devices were made; for the maker's staff."""
    # Counted for the rows of a page alone; joined, every device of the deployment would be counted first.
    devices = Device.objects.filter(batch=OuterRef("pk")).order_by().values("batch")
    counted = Coalesce(Subquery(devices.annotate(number=Count("pk")).values("number")), 0)
    return Batch.objects.select_related("product").annotate(made=counted).order_by("-created_at", "-pk")
