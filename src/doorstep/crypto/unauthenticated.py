"""AES without integrity, as old formats run it: CBC for ESP-Touch v2 and legacy messages, CFB for BluFi.

Nothing here tells a changed message from a good one. For nothing of our own.
"""

from typing import Final

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from doorstep.errors import MisuseError, VerificationFailed

__all__ = ["BLOCK_SIZE", "cbc_blocks_open", "cbc_blocks_seal", "cbc_open", "cbc_seal", "cfb_open", "cfb_seal"]

BLOCK_SIZE: Final = 16
_KEY_SIZES: Final = (16, 32)


def cbc_seal(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """Return ``plain`` padded (PKCS #7) and encrypted."""
    _check(key, iv)
    padder = PKCS7(8 * BLOCK_SIZE).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def cbc_open(key: bytes, iv: bytes, sealed: bytes) -> bytes:
    """Return the plain text; raises `VerificationFailed` on wrong padding, all that it can see."""
    _check(key, iv)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(8 * BLOCK_SIZE).unpadder()
    try:
        padded = decryptor.update(sealed) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise VerificationFailed("the message is encrypted with another key, or changed") from None


def cbc_blocks_seal(key: bytes, iv: bytes, blocks: bytes) -> bytes:
    """Return whole blocks encrypted, without padding."""
    _check(key, iv)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(blocks) + encryptor.finalize()


def cbc_blocks_open(key: bytes, iv: bytes, sealed: bytes) -> bytes:
    """Return whole blocks decrypted; nothing is checked, so nothing can be asked of it."""
    _check(key, iv)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(sealed) + decryptor.finalize()


def cfb_seal(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """Return as many octets, encrypted."""
    _check(key, iv)
    encryptor = Cipher(algorithms.AES(key), CFB(iv)).encryptor()
    return encryptor.update(plain) + encryptor.finalize()


def cfb_open(key: bytes, iv: bytes, sealed: bytes) -> bytes:
    """Return as many octets, decrypted; it cannot tell whether they are the peer's."""
    _check(key, iv)
    decryptor = Cipher(algorithms.AES(key), CFB(iv)).decryptor()
    return decryptor.update(sealed) + decryptor.finalize()


def _check(key: bytes, iv: bytes) -> None:
    if len(key) not in _KEY_SIZES or len(iv) != BLOCK_SIZE:
        raise MisuseError(f"AES takes a key of {_KEY_SIZES} bytes and an IV of {BLOCK_SIZE}")
