"""The one function of Bluetooth's pairing that a device computes before it meets anybody."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.cmac import CMAC

__all__ = ["confirm_key"]

COORDINATE_SIZE = 32


def confirm_key(scalar: bytes, random: bytes) -> bytes:
    """Return the 16-byte commitment of a P-256 key, f4(PKx, PKx, r, 0), most significant octet first.

    Core, Vol 3, Part H, §2.2.6 and §2.3.5.6.4; ``scalar`` is the private key, ``random`` has 16 bytes.
    """
    public = ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1()).public_key().public_numbers()
    x = public.x.to_bytes(COORDINATE_SIZE)
    mac = CMAC(AES128(random))
    mac.update(x + x + b"\x00")
    return mac.finalize()
