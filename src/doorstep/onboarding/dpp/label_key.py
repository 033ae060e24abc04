"""The key behind a device's Easy Connect label, derived from its factory key: nothing more is kept anywhere.

It is not the factory key itself: that one signs, and wpa_supplicant needs this one's private half.
"""

from typing import Final

from doorstep.crypto.p256 import PrivateKey
from doorstep.onboarding.dpp.uri import BootstrapUri

__all__ = ["CHANNELS", "device_label", "label_key"]

CHANNELS: Final = ((81, 6),)
"""Where our devices listen: channel 6 of the 2.4 GHz band, as operating class and number."""

INFO: Final = b"doorstep easy connect label"


def label_key(factory_key: PrivateKey) -> PrivateKey:
    """Return the bootstrapping key of the device with this factory key."""
    return factory_key.derive(INFO)


def device_label(factory_key: PrivateKey, serial: str) -> BootstrapUri:
    """Return the label of the device, with its serial as the note that phones show."""
    return BootstrapUri(label_key(factory_key).public_key, info=serial, channels=CHANNELS)
