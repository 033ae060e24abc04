"""Virtual Bluetooth: boards and phones with a real host stack on an air without a radio.

The only package that imports bumble, whose interface changes with every release. Pairing is computed
for real; the link layer encrypts nothing, so nothing here shows what an eavesdropper hears.
"""

from doorstep.testing.bumble.air import MAX_MTU, Air
from doorstep.testing.bumble.board import BumbleBoard
from doorstep.testing.bumble.kernel import kernel_adapter
from doorstep.testing.bumble.pairing import PhoneUser
from doorstep.testing.bumble.phone import BumbleCentral, BumblePeripheral

__all__ = [
    "MAX_MTU",
    "Air",
    "BumbleBoard",
    "BumbleCentral",
    "BumblePeripheral",
    "PhoneUser",
    "kernel_adapter",
]
