"""AES-256-CTR as one keystream for both directions, as sec1 runs it: secrecy without integrity."""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from doorstep.errors import MisuseError

__all__ = ["FIRST_BLOCK_SIZE", "KEY_SIZE", "SharedKeystream"]

KEY_SIZE: Final = 32
FIRST_BLOCK_SIZE: Final = 16


class SharedKeystream:
    """Every octet sent or received takes the next octet of the stream, so both sides take turns strictly.

    Nothing tells a changed, lost or repeated message from a good one: the next reader finds nonsense in
    it, or what an attacker made of it.
    """

    def __init__(self, key: bytes, first_block: bytes) -> None:
        """Start with ``first_block`` as the counter."""
        if len(key) != KEY_SIZE or len(first_block) != FIRST_BLOCK_SIZE:
            raise MisuseError(f"a keystream takes {KEY_SIZE} bytes of key and {FIRST_BLOCK_SIZE} of counter")
        self._stream = Cipher(algorithms.AES256(key), modes.CTR(first_block)).encryptor()

    def seal(self, plain: bytes) -> bytes:
        """Return as many octets, encrypted."""
        return self._stream.update(plain)

    def open(self, sealed: bytes) -> bytes:
        """Return as many octets, decrypted; it cannot tell whether they are the peer's."""
        return self._stream.update(sealed)
