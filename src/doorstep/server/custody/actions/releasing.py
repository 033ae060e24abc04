"""An owner allows to set a device up again."""

from doorstep.errors import RefusedError
from doorstep.identity.release import LIFETIME, Release
from doorstep.ownership.ledger import Event, Kind
from doorstep.runtime.authority import Authority
from doorstep.server.custody import ledger
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["BlockedNotReleased", "release_setup"]

_SECOND_US = 1_000_000


class BlockedNotReleased(RefusedError):
    """A blocked device is not set up again."""


def release_setup(device: Device, by: str, authority: Authority, *, now_us: int) -> tuple[bytes, int]:
    """Return a signed release for a device and the second in which it expires; the ledger keeps who gave it.

    ``by`` is the actor as the ledger names it. Raises BlockedNotReleased.
    """
    issued = now_us // _SECOND_US
    release = Release(device.device_id, issued, issued + LIFETIME)
    with transaction_in_turn():
        row = Device.objects.select_for_update().get(pk=device.pk)
        if row.blocked:
            raise BlockedNotReleased(
                f"device {row.device_id} is blocked for good", next_step="Ask its maker about it."
            )
        row.setup_released_us = now_us
        row.save(update_fields=["setup_released_us"])
        ledger.append([(row.pk, Event(Kind.SETUP_RELEASED, row.device_id, by, {}))], now_us)
    return release.sign(authority.operations), release.expires
