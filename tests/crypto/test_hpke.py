import os

import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.crypto import hpke, p256
from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MalformedMessage, VerificationFailed

# RFC 9180 appendix A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0.
INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
EPHEMERAL = bytes.fromhex("4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb")
RECIPIENT = p256.generate(
    lambda _: bytes.fromhex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2")
)
ENC = bytes.fromhex(
    "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac9"
    "8536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4"
)
PLAIN = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
AAD = bytes.fromhex("436f756e742d30")
SEALED = bytes.fromhex(
    "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434"
)
SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def test_sealing_gives_the_message_of_the_rfc() -> None:
    assert hpke.seal(RECIPIENT.public_key, INFO, AAD, PLAIN, rng=lambda _: EPHEMERAL) == (ENC, SEALED)


def test_opening_gives_the_plaintext_of_the_rfc() -> None:
    assert hpke.open_sealed(RECIPIENT.public_key, RECIPIENT.agree, INFO, AAD, ENC, SEALED) == PLAIN


@settings(max_examples=15, deadline=None)
@given(plain=st.binary(max_size=300), info=st.binary(max_size=60))
def test_library_and_ours_open_each_others_messages(plain: bytes, info: bytes) -> None:
    theirs = SUITE.encrypt(plain, RECIPIENT.public_key.key, info=info)
    enc, sealed = theirs[: hpke.ENC_LENGTH], theirs[hpke.ENC_LENGTH :]
    assert hpke.open_sealed(RECIPIENT.public_key, RECIPIENT.agree, info, b"", enc, sealed) == plain
    enc, sealed = hpke.seal(RECIPIENT.public_key, info, b"", plain, rng=os.urandom)
    assert SUITE.decrypt(enc + sealed, RECIPIENT.key, info=info) == plain


REFUSED = {
    "other info": (INFO + b"x", AAD, ENC, SEALED, VerificationFailed),
    "other associated data": (INFO, b"", ENC, SEALED, VerificationFailed),
    "flipped tag": (INFO, AAD, ENC, SEALED[:-1] + bytes((SEALED[-1] ^ 1,)), VerificationFailed),
    "shorter than a tag": (INFO, AAD, ENC, SEALED[:15], VerificationFailed),
    "nothing": (INFO, AAD, ENC, b"", VerificationFailed),
    "other encapsulated key": (INFO, AAD, RECIPIENT.public_key.point, SEALED, VerificationFailed),
    "point beside the curve": (INFO, AAD, ENC[:-1] + bytes((ENC[-1] ^ 1,)), SEALED, MalformedMessage),
    "compressed point": (INFO, AAD, b"\x02" + ENC[1:33], SEALED, MalformedMessage),
    "no point": (INFO, AAD, b"", SEALED, MalformedMessage),
    "point at infinity": (INFO, AAD, bytes(65), SEALED, MalformedMessage),
}


@pytest.mark.parametrize("name", REFUSED)
def test_opening_refuses(name: str) -> None:
    info, aad, enc, sealed, error = REFUSED[name]
    with pytest.raises(error):
        hpke.open_sealed(RECIPIENT.public_key, RECIPIENT.agree, info, aad, enc, sealed)


def test_opening_refuses_what_was_sealed_to_another_key() -> None:
    other = p256.generate(os.urandom)
    with pytest.raises(VerificationFailed):
        hpke.open_sealed(other.public_key, other.agree, INFO, AAD, ENC, SEALED)


def test_agreeing_is_the_same_from_both_sides() -> None:
    one, two = p256.generate(os.urandom), p256.generate(os.urandom)
    assert one.agree(two.public_key) == two.agree(PublicKey.from_point(one.public_key.point))
