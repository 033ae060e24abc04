import pytest

from doorstep.crypto.ccm import NONCE_LENGTH, AesCcm
from doorstep.errors import VerificationFailed

# RFC 3610 section 8, packet vector 1
KEY = bytes(range(0xC0, 0xD0))
NONCE = bytes.fromhex("00000003020100a0a1a2a3a4a5")
AAD = bytes(range(8))
PLAINTEXT = bytes(range(8, 31))
SEALED = bytes.fromhex("588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0")


def test_cipher_agrees_with_rfc_3610() -> None:
    cipher = AesCcm(KEY, 8)
    assert len(NONCE) == NONCE_LENGTH
    assert cipher.seal(NONCE, PLAINTEXT, AAD) == SEALED
    assert cipher.open(NONCE, SEALED, AAD) == PLAINTEXT


@pytest.mark.parametrize(
    ("nonce", "sealed", "aad"),
    [
        (NONCE, SEALED[:-1] + b"\0", AAD),
        (NONCE, b"\0" + SEALED[1:], AAD),
        (NONCE, SEALED, AAD[1:]),
        (bytes(13), SEALED, AAD),
        (NONCE, SEALED[:-1], AAD),
        (NONCE, b"short", AAD),
    ],
    ids=["tag", "ciphertext", "aad", "nonce", "cut", "shorter than a tag"],
)
def test_cipher_refuses_any_change(nonce: bytes, sealed: bytes, aad: bytes) -> None:
    with pytest.raises(VerificationFailed):
        AesCcm(KEY, 8).open(nonce, sealed, aad)
