"""MicroPython's module of this name for CPython, as its documentation describes it; mode 1 (ECB) alone."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class aes:  # noqa: N801 - the name there
    def __init__(self, key: bytes, mode: int) -> None:
        assert mode == 1
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())

    def encrypt(self, data: bytes) -> bytes:
        assert len(data) % 16 == 0
        return self._cipher.encryptor().update(data)
