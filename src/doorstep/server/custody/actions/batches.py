"""Devices come into the world."""

import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction

from doorstep.errors import MisuseError
from doorstep.identity.ids import DeviceIdTaken
from doorstep.ownership.ledger import Event, Kind
from doorstep.server.custody import ledger
from doorstep.server.fleet.models import Batch, Device, SealedState

__all__ = ["NewDevice", "record_batch"]

_INSERT_AT_ONCE: Final = 1000


class NewDevice(Protocol):
    """What the factory hands over of a device it made."""

    @property
    def device_id(self) -> str: ...  # noqa: D102 - fields of the fleet's Device
    @property
    def serial(self) -> str: ...  # noqa: D102
    @property
    def hardware_id(self) -> str | None: ...  # noqa: D102
    @property
    def idevid(self) -> bytes: ...  # noqa: D102
    @property
    def public_key(self) -> bytes: ...  # noqa: D102
    @property
    def claim_code_hash(self) -> bytes: ...  # noqa: D102
    @property
    def setup_code(self) -> str: ...  # noqa: D102
    @property
    def oob_code(self) -> str: ...  # noqa: D102
    @property
    def root_key(self) -> bytes: ...  # noqa: D102


def record_batch(batch: Batch, devices: Sequence[NewDevice], *, actor: str, now_us: int) -> None:
    """Store devices of a batch with their sealed-message roots and ledger entries, all or none.

    Raises DeviceIdTaken when an id is taken already, MisuseError for a serial or hardware id; then nothing
    is stored.
    """
    try:
        with transaction.atomic():
            _store(batch, devices, actor, now_us)
    except IntegrityError as error:
        if Device.objects.filter(device_id__in=[new.device_id for new in devices]).exists():
            raise DeviceIdTaken(f"batch {batch.number}: a device id is taken already") from error
        raise MisuseError(
            f"batch {batch.number}: taken already: {_taken(devices)}",
            next_step="Nothing of these devices was stored. Make them again with fresh serials.",
        ) from error


def _taken(devices: Sequence[NewDevice]) -> str:
    """Name the first serials and hardware ids that other devices have."""
    asked = {
        "serial": [new.serial for new in devices],
        "hardware_id": [new.hardware_id for new in devices if new.hardware_id],
    }
    names = [
        f"{field} {value}"
        for field, values in asked.items()
        for value in Device.objects.filter(**{f"{field}__in": values}).values_list(field, flat=True)[:3]
    ]
    return ", ".join(names) or "a serial or hardware id"


def _store(batch: Batch, devices: Sequence[NewDevice], actor: str, now_us: int) -> None:
    rows = Device.objects.bulk_create((_row(batch, new) for new in devices), batch_size=_INSERT_AT_ONCE)
    wrap = settings.KEY_FILE.wrap
    SealedState.objects.bulk_create(
        (
            SealedState(
                device=row,
                root=wrap(new.root_key, f"sealed/{new.device_id}/root"),
                variant=batch.product.sealed_variant,
            )
            for row, new in zip(rows, devices, strict=True)
        ),
        batch_size=_INSERT_AT_ONCE,
    )
    ledger.append([(row.pk, _event(batch, row, actor)) for row in rows], now_us)


def _row(batch: Batch, new: NewDevice) -> Device:
    return Device(
        device_id=new.device_id,
        serial=new.serial,
        hardware_id=new.hardware_id,
        product_id=batch.product_id,
        batch=batch,
        public_key=new.public_key,
        public_key_hash=hashlib.sha256(new.public_key).hexdigest() if new.public_key else "",
        idevid=new.idevid,
        claim_code_hash=new.claim_code_hash,
        setup_code=_kept(batch, new.device_id, "code", new.setup_code),
        oob_code=_kept(batch, new.device_id, "oob", new.oob_code),
    )


def _kept(batch: Batch, device_id: str, name: str, code: str) -> bytes | None:
    """Wrap what the label tells, where the product lets the platform tell it, too."""
    if not (code and batch.product.release_setup_code):
        return None
    wrapped: bytes = settings.KEY_FILE.wrap(code.encode(), f"setup/{device_id}/{name}")
    return wrapped


def _event(batch: Batch, device: Device, actor: str) -> Event:
    detail = {"product": batch.product.key, "batch": batch.number, "serial": device.serial}
    return Event(Kind.MADE, device.device_id, actor, detail)
