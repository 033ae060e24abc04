import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519

from doorstep.crypto import p256
from doorstep.crypto.p256 import MalformedKey, PrivateKey, PublicKey, SignatureRefused
from doorstep.errors import MisuseError, VerificationFailed

KEY = p256.generate(lambda count: b"\x11" * count)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def drawn(*candidates: int) -> Iterator[bytes]:
    return (candidate.to_bytes(32, "big") for candidate in candidates)


@pytest.mark.parametrize("bad", [0, ORDER, 2**256 - 1])
def test_generator_draws_again_beyond_the_group(bad: int) -> None:
    source = drawn(bad, 1)
    key = p256.generate(lambda _: next(source))
    assert key.key.private_numbers().private_value == 1


def test_signature_is_raw_and_verifies() -> None:
    signature = KEY.sign(b"message")
    assert len(signature) == p256.SIGNATURE_LENGTH
    KEY.public_key.verify(signature, b"message")


def test_signing_twice_gives_the_same_bytes() -> None:
    assert KEY.sign(b"message") == KEY.sign(b"message")


def test_der_signature_verifies() -> None:
    KEY.public_key.verify_der(KEY.sign_der(b"message"), b"message")


@pytest.mark.parametrize("signature", [b"", b"\0" * 63, b"\0" * 64, b"\xff" * 64, b"\0" * 65])
def test_verifier_refuses_signature(signature: bytes) -> None:
    with pytest.raises(SignatureRefused):
        KEY.public_key.verify(signature, b"message")


def test_verifier_refuses_other_message_and_garbage_der() -> None:
    with pytest.raises(SignatureRefused):
        KEY.public_key.verify(KEY.sign(b"message"), b"other")
    with pytest.raises(SignatureRefused):
        KEY.public_key.verify_der(b"garbage", b"message")


def test_public_key_survives_each_encoding() -> None:
    public = KEY.public_key
    assert len(public.point) == p256.POINT_LENGTH
    for again in (
        PublicKey.from_spki(public.spki),
        PublicKey.from_pem(public.pem),
        PublicKey.from_point(public.point),
    ):
        assert again.spki == public.spki


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_private_key_survives_each_encoding(passphrase: bytes | None) -> None:
    for encoded in (KEY.to_pkcs8(passphrase), KEY.to_pem(passphrase)):
        assert PrivateKey.from_pkcs8(encoded, passphrase).to_pkcs8() == KEY.to_pkcs8()


def test_reader_refuses_wrong_missing_and_needless_passphrase() -> None:
    with pytest.raises(VerificationFailed, match="does not open"):
        PrivateKey.from_pkcs8(KEY.to_pem(b"right"), b"wrong")
    with pytest.raises(MisuseError, match="do not go together"):
        PrivateKey.from_pkcs8(KEY.to_pem(b"right"))
    with pytest.raises(MisuseError, match="do not go together"):
        PrivateKey.from_pkcs8(KEY.to_pem(), b"needless")


def foreign_spki(key: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


MALFORMED_PUBLIC = {
    "empty": b"",
    "garbage": b"garbage",
    "cut": KEY.public_key.spki[:-1],
    "too long": b"\x30" * 5000,
    "P-384": foreign_spki(ec.derive_private_key(5, ec.SECP384R1())),
    "X25519": foreign_spki(x25519.X25519PrivateKey.from_private_bytes(b"\1" * 32)),
    "point off the curve": KEY.public_key.spki[:-1] + bytes([KEY.public_key.spki[-1] ^ 1]),
}


@pytest.mark.parametrize("name", MALFORMED_PUBLIC)
def test_reader_refuses_public_key(name: str) -> None:
    with pytest.raises(MalformedKey):
        PublicKey.from_spki(MALFORMED_PUBLIC[name])


def test_reader_refuses_point_and_pem() -> None:
    with pytest.raises(MalformedKey):
        PublicKey.from_point(b"\4" + b"\1" * 64)
    with pytest.raises(MalformedKey):
        PublicKey.from_pem(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")


UNKNOWN_KIND = KEY.to_pkcs8().replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce740201"))


@pytest.mark.parametrize("encoded", [b"", b"garbage", b"-----BEGIN", b"\x30" * 5000, UNKNOWN_KIND])
def test_reader_refuses_private_key(encoded: bytes) -> None:
    with pytest.raises(MalformedKey):
        PrivateKey.from_pkcs8(encoded)


def test_reader_refuses_private_key_on_another_curve() -> None:
    other = ec.derive_private_key(5, ec.SECP384R1()).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(MalformedKey, match="P-256"):
        PrivateKey.from_pkcs8(other)


def test_private_key_never_shows_in_repr() -> None:
    assert "1111" not in repr(KEY)
    assert KEY.to_pkcs8().hex() not in repr(KEY)


def test_both_sides_agree_on_a_secret() -> None:
    other = p256.generate(os.urandom)
    secret = KEY.agree(other.public_key)
    assert secret == other.agree(KEY.public_key)
    assert len(secret) == 32


def test_compressed_point_is_read_back() -> None:
    assert PublicKey.from_point(KEY.public_key.compressed) == KEY.public_key


def test_derived_key_stays_and_differs() -> None:
    assert KEY.derive(b"a").to_pkcs8() == KEY.derive(b"a").to_pkcs8()
    assert len({key.public_key.point for key in (KEY, KEY.derive(b"a"), KEY.derive(b"b"))}) == 3


def test_traditional_encoding_is_of_the_same_key() -> None:
    read = serialization.load_der_private_key(KEY.to_sec1(), None)
    assert isinstance(read, ec.EllipticCurvePrivateKey)
    assert PublicKey(read.public_key()) == KEY.public_key


@pytest.mark.peer
def test_openssl_verifies_our_signature(tmp_path: Path) -> None:
    key = p256.generate(os.urandom)
    (tmp_path / "key.pem").write_bytes(key.public_key.pem)
    (tmp_path / "message").write_bytes(b"message")
    (tmp_path / "signature").write_bytes(key.sign_der(b"message"))
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "message"]
    try:
        output = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)
    except FileNotFoundError:
        pytest.skip("needs the openssl program")
    assert output.stdout == "Verified OK\n"
