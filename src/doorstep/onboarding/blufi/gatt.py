"""BluFi's GATT layout: the app writes to one characteristic and is notified by the other."""

from typing import Final

from doorstep.onboarding.ble.uuids import from_short

__all__ = ["FROM_DEVICE", "SERVICE", "TO_DEVICE"]

SERVICE: Final = from_short(0xFFFF)
TO_DEVICE: Final = from_short(0xFF01)
FROM_DEVICE: Final = from_short(0xFF02)
