"""The key of a device's own access point."""

import base64
from typing import Final

from doorstep.crypto.hkdf import hkdf

__all__ = ["access_point_key"]

_INFO: Final = b"doorstep access point"
_KEY_SIZE: Final = 10


def access_point_key(verifier: bytes) -> str:
    """Return the WPA2 key for a device's label: 16 characters, 80 bits, of its own for each device.

    It follows from the set-up verifier, which only the factory and the device have, so neither keeps another
    secret. Whoever knows the key does not know the set-up code.
    """
    return base64.b32encode(hkdf(verifier, b"", _INFO, _KEY_SIZE)).decode("ascii").lower()
