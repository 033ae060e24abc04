"""Carries a rotation over a cable: opens what the device says, seals what it is told. Without the broker."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from doorstep.identity.ids import kid_of
from doorstep.identity.rotation import Stage
from doorstep.messaging.opener import Opener
from doorstep.messaging.rotation.messages import HAND_CHANNEL, encode, from_device
from doorstep.messaging.sealer import seal_downlink
from doorstep.messaging.state import SealedState as Sealed
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed, sealed_row
from doorstep.server.channels.models import DownlinkCounter
from doorstep.server.fleet.models import Device, KeyRotation, SealedState
from doorstep.server.fleet.rotating import hear
from doorstep.server.fleet.rotation import settle

__all__ = ["Hand"]

_UP: Final = f"up/{HAND_CHANNEL}".encode()
_DOWN: Final = f"down/{HAND_CHANNEL}".encode()


@dataclass
class Hand:
    """One rotation, begun with ``by_hand``, with one device."""

    rotation: KeyRotation

    def hear(self, message: bytes, now_us: int) -> bytes | None:
        """Take a sealed message of the device; return the one to bring back, or None at the end.

        Everything is stored before this returns. Raises PeerError for what is not this device's, and then
        nothing changed.
        """
        with transaction.atomic():
            device = Device.objects.select_for_update().get(pk=self.rotation.device_id)
            self.rotation.refresh_from_db()
            state, plaintext = self._opened(device, message, now_us)
            if self.rotation.stage == Stage.STAGED.value and state.staged is None:
                settle(self.rotation, "done", "", now_us)
                return None
            word = hear(device, self.rotation, from_device(plaintext), now_us)
            return seal_downlink(state, _number(device, state), _DOWN, encode(word))

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


def _number(device: Device, state: Sealed) -> int:
    """Take the next of the platform's sequence numbers in the device's epoch; ``downlink`` goes on."""
    epoch = state.current.epoch
    DownlinkCounter.objects.get_or_create(device=device, defaults={"epoch": epoch, "next_seq": 0})
    mine = DownlinkCounter.objects.filter(device=device)
    mine.filter(epoch__lt=epoch).update(epoch=epoch, next_seq=0)
    mine.update(next_seq=F("next_seq") + 1)
    return int(mine.values_list("next_seq", flat=True).get()) - 1
