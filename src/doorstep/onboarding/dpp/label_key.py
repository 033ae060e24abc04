"""The key behind a device's Easy Connect label, derived from its root key: nothing more is kept anywhere.

It is not the factory key: that one signs and may sit in a secure element that agrees on no secrets, while
wpa_supplicant needs this one's private half.
"""

from typing import Final

from doorstep.crypto.hkdf import hkdf
from doorstep.crypto.p256 import PrivateKey, generate
from doorstep.onboarding.dpp.uri import BootstrapUri

__all__ = ["CHANNELS", "device_label", "label_key"]

CHANNELS: Final = ((81, 6),)
"""Where our devices listen: channel 6 of the 2.4 GHz band, as operating class and number."""

INFO: Final = b"doorstep easy connect label "


def label_key(root_key: bytes) -> PrivateKey:
    """Return the bootstrapping key of the device with this root key."""
    round_ = 0

    def draw(size: int) -> bytes:
        nonlocal round_
        round_ += 1
        return hkdf(root_key, b"", INFO + bytes((round_,)), size)

    return generate(draw)


def device_label(root_key: bytes, serial: str) -> BootstrapUri:
    """Return the label of the device, with its serial as the note that phones show."""
    return BootstrapUri(label_key(root_key).public_key, info=serial, channels=CHANNELS)
