"""P-256 keys and ECDSA with SHA-256: generation, signing, verifying and their encodings."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from doorstep.crypto.hkdf import hkdf
from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed

__all__ = [
    "POINT_LENGTH",
    "SIGNATURE_LENGTH",
    "MalformedKey",
    "PrivateKey",
    "PublicKey",
    "SignatureRefused",
    "generate",
]

SIGNATURE_LENGTH: Final = 64
"""Bytes of a raw signature: r and s, 32 big-endian bytes each (RFC 9053 §2.1)."""

POINT_LENGTH: Final = 65
"""Bytes of an uncompressed point: 04, x, y."""

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SCALAR_LENGTH: Final = 32
_KEY_CAP: Final = 4096
"""Bytes of an encoded key that are looked at; a P-256 key with its passphrase header has far fewer."""
# RFC 6979 nonces: a signer with poor randomness cannot leak its key, and the same input gives the same bytes.
_SIGN: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_VERIFY: Final = ec.ECDSA(hashes.SHA256())


class MalformedKey(MalformedMessage):
    """Bytes are not a P-256 key in the expected encoding."""


class SignatureRefused(VerificationFailed):
    """An ECDSA signature does not belong to this key and message."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A P-256 public key."""

    key: ec.EllipticCurvePublicKey

    @classmethod
    def from_spki(cls, der: bytes) -> Self:
        """Read a DER SubjectPublicKeyInfo."""
        return cls(_public(lambda: serialization.load_der_public_key(_capped(der))))

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read a PEM SubjectPublicKeyInfo."""
        return cls(_public(lambda: serialization.load_pem_public_key(_capped(pem))))

    @classmethod
    def from_point(cls, point: bytes) -> Self:
        """Read a SEC 1 point, compressed or not; it is checked to lie on the curve."""
        return cls(_public(lambda: ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)))

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo, 91 bytes."""
        return self.key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def pem(self) -> bytes:
        """PEM SubjectPublicKeyInfo."""
        return self.key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def point(self) -> bytes:
        """Uncompressed SEC 1 point, 65 bytes."""
        return self.key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    @property
    def compressed(self) -> bytes:
        """Compressed SEC 1 point, 33 bytes."""
        return self.key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a raw r‖s signature; raise `SignatureRefused`."""
        if len(signature) != SIGNATURE_LENGTH:
            raise SignatureRefused(f"a raw signature has {SIGNATURE_LENGTH} bytes, this has {len(signature)}")
        r, s = (int.from_bytes(signature[at : at + _SCALAR_LENGTH], "big") for at in (0, _SCALAR_LENGTH))
        self.verify_der(encode_dss_signature(r, s), message)

    def verify_der(self, signature: bytes, message: bytes) -> None:
        """Check a DER signature; raise `SignatureRefused`."""
        try:
            self.key.verify(signature, message, _VERIFY)
        except InvalidSignature as error:
            raise SignatureRefused("the signature does not belong to this key and message") from error


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A P-256 private key; its repr shows nothing."""

    key: ec.EllipticCurvePrivateKey

    @classmethod
    def from_pkcs8(cls, encoded: bytes, passphrase: bytes | None = None) -> Self:
        """Read PKCS#8, DER or PEM (told apart by their first byte).

        Raises `MalformedKey`; `VerificationFailed` for a wrong passphrase; `MisuseError` when the
        passphrase is missing or the key has none.
        """
        load = (
            serialization.load_pem_private_key
            if encoded.startswith(b"-")
            else serialization.load_der_private_key
        )
        try:
            key = load(_capped(encoded), passphrase)
        except TypeError as error:
            raise MisuseError(
                "this private key and the passphrase do not go together: one of them is missing"
            ) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            if passphrase is not None:
                raise VerificationFailed("the passphrase does not open this private key") from error
            raise MalformedKey("this is not a PKCS#8 private key") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise MalformedKey("this private key is not on the curve P-256")
        return cls(key)

    @property
    def public_key(self) -> PublicKey:
        """The other half."""
        return PublicKey(self.key.public_key())

    def to_pkcs8(self, passphrase: bytes | None = None) -> bytes:
        """Return DER PKCS#8, encrypted when there is a passphrase."""
        return self._encoded(serialization.Encoding.DER, passphrase)

    def to_sec1(self) -> bytes:
        """Return DER ECPrivateKey (RFC 5915), never encrypted; for programs that read nothing else."""
        return self.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """Return PEM PKCS#8, encrypted when there is a passphrase."""
        return self._encoded(serialization.Encoding.PEM, passphrase)

    def derive(self, info: bytes) -> "PrivateKey":
        """Return the key that follows from this one for ``info``; it tells nothing of this one."""
        return generate(self.derived(info))

    def derived(self, info: bytes) -> Callable[[int], bytes]:
        """Return a source of bytes that follow from this key for ``info``, the same ones each time."""
        scalar = self.key.private_numbers().private_value.to_bytes(_SCALAR_LENGTH, "big")
        rounds = itertools.count()
        return lambda size: hkdf(scalar, b"", info + next(rounds).to_bytes(4), size)

    def agree(self, peer: PublicKey) -> bytes:
        """Return the x coordinate of the shared point, 32 bytes (ECDH, SP 800-56A §5.7.1.2)."""
        return self.key.exchange(ec.ECDH(), peer.key)

    def sign(self, message: bytes) -> bytes:
        """Return the raw r‖s signature, 64 bytes."""
        r, s = decode_dss_signature(self.sign_der(message))
        return r.to_bytes(_SCALAR_LENGTH, "big") + s.to_bytes(_SCALAR_LENGTH, "big")

    def sign_der(self, message: bytes) -> bytes:
        """Return the DER signature."""
        return self.key.sign(message, _SIGN)

    def _encoded(self, encoding: serialization.Encoding, passphrase: bytes | None) -> bytes:
        protection: serialization.KeySerializationEncryption = (
            serialization.NoEncryption()
            if passphrase is None
            else serialization.BestAvailableEncryption(passphrase)
        )
        return self.key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, protection)


def generate(rng: Callable[[int], bytes]) -> PrivateKey:
    """Draw a private key by testing candidates (FIPS 186-5 A.2.2)."""
    while True:
        candidate = int.from_bytes(rng(_SCALAR_LENGTH), "big")
        if 0 < candidate < ORDER:
            return PrivateKey(ec.derive_private_key(candidate, ec.SECP256R1()))


def _capped(encoded: bytes) -> bytes:
    if len(encoded) > _KEY_CAP:
        raise MalformedKey(f"an encoded key has at most {_KEY_CAP} bytes, this has {len(encoded)}")
    return encoded


def _public(load: Callable[[], object]) -> ec.EllipticCurvePublicKey:
    try:
        key = load()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedKey("these bytes are not a public key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise MalformedKey("this public key is not on the curve P-256")
    return key
