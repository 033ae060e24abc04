"""Carries a rotation over a cable: opens what the device says, seals what it is told. Without the broker."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction

from doorstep.errors import RefusedError
from doorstep.identity.ids import kid_of
from doorstep.identity.rotation import Stage
from doorstep.messaging.envelope import MAX_SEQUENCE
from doorstep.messaging.opener import Opener
from doorstep.messaging.rotation.messages import HAND_CHANNEL, encode, from_device
from doorstep.messaging.sealer import seal_downlink
from doorstep.messaging.state import SealedState as Sealed
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed, sealed_row
from doorstep.server.channels.models import DownlinkCounter
from doorstep.server.fleet.models import Device, KeyRotation, SealedState
from doorstep.server.fleet.rotating import hear
from doorstep.server.fleet.rotation import CannotRotate, settle

__all__ = ["Hand", "NoNewNumber"]

_UP: Final = f"up/{HAND_CHANNEL}".encode()
_DOWN: Final = f"down/{HAND_CHANNEL}".encode()


class NoNewNumber(RefusedError):
    """A number that is used twice in an epoch would open both messages to whoever has them."""

    def __init__(self, device_id: str, epoch: int) -> None:
        super().__init__(
            f"no number of epoch {epoch} is surely new to device {device_id}",
            next_step="Switch the device off and on, and begin again.",
        )
        self.epoch = epoch


@dataclass
class Hand:
    """One rotation, begun with ``by_hand``, with one device."""

    rotation: KeyRotation

    def hear(self, message: bytes, now_us: int) -> bytes | None:
        """Take a sealed message of the device; return the one to bring back, or None at the end.

        Everything is stored before this returns. Raises PeerError for what is not this device's, and
        CannotRotate for a device that was blocked meanwhile; then nothing changed. Raises NoNewNumber.
        """
        try:
            return self._heard(message, now_us)
        except NoNewNumber as error:
            _close_epoch(self.rotation.device_id, error.epoch)
            raise

    def _heard(self, message: bytes, now_us: int) -> bytes | None:
        with transaction.atomic():
            device = Device.objects.select_for_update().get(pk=self.rotation.device_id)
            if device.blocked:
                raise CannotRotate(
                    f"device {device.device_id} is blocked or in quarantine",
                    next_step="Decide about the device first; its rotation waits.",
                )
            self.rotation.refresh_from_db()
            state, plaintext = self._opened(device, message, now_us)
            if self.rotation.stage == Stage.STAGED.value and state.staged is None:
                settle(self.rotation, "done", "", now_us)
                return None
            word = hear(device, self.rotation, from_device(plaintext), now_us)
            return seal_downlink(state, _number(device, state.current.epoch), _DOWN, encode(word))

    def _opened(self, device: Device, message: bytes, now_us: int) -> tuple[Sealed, bytes]:
        """Open a message and count it, as ingest does; ingest loads the device anew."""
        row = SealedState.objects.filter(device=device).values_list(*SEALED_COLUMNS).get()
        opener = Opener(kid_of(device.device_id), read_sealed(settings.KEY_FILE, device.device_id, row))
        _, _, plaintext = opener.open(message, _UP, now_us)
        state = opener.snapshot()
        wrapped = sealed_row(settings.KEY_FILE, device.device_id, state)
        SealedState.objects.filter(device=device).update(**wrapped._asdict())
        device.generation += 1
        device.save(update_fields=["generation"])
        return state, plaintext


def _number(device: Device, epoch: int) -> int:
    """Take the platform's next sequence number in the device's epoch; ``downlink`` goes on from it."""
    rows = DownlinkCounter.objects.select_for_update()
    counter, _ = rows.get_or_create(device=device, defaults={"epoch": epoch, "next_seq": 0})
    if counter.epoch < epoch and not counter.awaiting:
        counter.epoch, counter.next_seq = epoch, 0
    if counter.awaiting or counter.epoch > epoch or counter.next_seq > MAX_SEQUENCE:
        raise NoNewNumber(device.device_id, epoch)
    counter.next_seq += 1
    counter.save(update_fields=["epoch", "next_seq"])
    return counter.next_seq - 1


def _close_epoch(device: int, epoch: int) -> None:
    """Note in which epoch a device was heard that is awaited since a copy was restored; see ``downlink``."""
    awaited = DownlinkCounter.objects.filter(device=device, awaiting=True)
    awaited.update(epoch=epoch, next_seq=MAX_SEQUENCE + 1, awaiting=False)
