"""The chip maker's manifest of secure elements: which public key each element holds, signed entry by entry.

A manifest is a JSON array; each entry is a JWS in the flattened JSON form (RFC 7515 section 7.2.2) by one of
the chip maker's manifest signers. `docs/spec/manifest.md` is normative. Checked in this order: form and size,
protected header, signer, signature, payload, unique id, the signer's time, key, certificates.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final, Self, TypeVar

import msgspec

from doorstep.crypto.p256 import PublicKey
from doorstep.crypto.x509 import CERTIFICATE_CAP, Certificate, CertificateRefused, load_chain
from doorstep.errors import MalformedMessage, MisuseError, PeerError, ReplayRefused, VerificationFailed
from doorstep.identity.ids import parse_hardware_id
from doorstep.wire import base64url, jsontext

__all__ = [
    "ENTRIES_CAP",
    "MANIFEST_CAP",
    "PAYLOAD_CAP",
    "Element",
    "ElementRefused",
    "ElementRepeated",
    "MalformedManifest",
    "Manifest",
    "TrustedSigners",
    "read_element",
    "read_manifest",
]

MANIFEST_CAP: Final = 64 * 1024 * 1024
"""Bytes of a manifest."""

ENTRIES_CAP: Final = 10_000
"""Entries of a manifest."""

PAYLOAD_CAP: Final = 32_768
"""Characters of an entry's payload as it is sent."""

HEADER_CAP: Final = 1024
"""Characters of an entry's protected header as it is sent."""

KEYS_CAP: Final = 16
"""Keys of one element; an ATECC608 has sixteen slots."""

CHAIN_LENGTHS: Final = range(2, 5)
"""Certificates of a key: the element's, its signer's, and what may follow."""

VERSIONS: Final = frozenset({1, 2, 3})
"""Versions of the payload."""

SLOT: Final = "0"
"""The slot whose key is the device's identity."""

_ALGORITHM: Final = "ES256"
_TYPE: Final = "JWT"
_SIGNATURE_CHARACTERS: Final = 86
_COORDINATE_LENGTH: Final = 32
_UNIQUE_ID: Final = re.compile(r"[0-9a-fA-F]{18}")
_UNCOMPRESSED: Final = b"\x04"

T = TypeVar("T")

_Short = Annotated[str, msgspec.Meta(max_length=128)]
_EncodedCertificate = Annotated[str, msgspec.Meta(max_length=CERTIFICATE_CAP * 4 // 3 + 4)]


class MalformedManifest(MalformedMessage):
    """Bytes are not a manifest, or an entry is not one that we read."""


class ElementRefused(VerificationFailed):
    """An entry is well formed and does not prove an element's key."""


class ElementRepeated(ReplayRefused):
    """An entry speaks of an element that an earlier one proved already."""


class _Named(msgspec.Struct, forbid_unknown_fields=True):
    unique_id: _Short = msgspec.field(name="uniqueId")


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    payload: Annotated[str, msgspec.Meta(max_length=PAYLOAD_CAP)]
    protected: Annotated[str, msgspec.Meta(max_length=HEADER_CAP)]
    header: _Named
    signature: Annotated[str, msgspec.Meta(max_length=_SIGNATURE_CHARACTERS)]


class _Protected(msgspec.Struct, forbid_unknown_fields=True):
    alg: str
    typ: str
    kid: str
    fingerprint: str = msgspec.field(name="x5t#S256")


class _Key(msgspec.Struct):
    """A JWK (RFC 7517); what a key of another kind does not have is empty."""

    kid: _Short
    kty: _Short = ""
    crv: _Short = ""
    x: _Short = ""
    y: _Short = ""
    x5c: Annotated[tuple[_EncodedCertificate, ...], msgspec.Meta(max_length=CHAIN_LENGTHS[-1])] = ()


class _KeySet(msgspec.Struct):
    keys: Annotated[list[_Key], msgspec.Meta(max_length=KEYS_CAP)]


class _Payload(msgspec.Struct, rename="camel"):
    version: int
    unique_id: _Short
    provisioning_timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    public_key_set: _KeySet


@dataclass(frozen=True, slots=True)
class Element:
    """A secure element whose key was proved."""

    hardware_id: str
    """Its serial number, normalised as `ids.parse_hardware_id` returns it."""
    public_key: PublicKey
    """Of slot 0."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read: good entries and bad ones by their number in the array, from 1."""

    elements: Mapping[int, Element]
    refused: Mapping[int, str]
    """Why each bad entry is refused."""


@dataclass(frozen=True, slots=True)
class TrustedSigners:
    """Whom the operator trusts; a certificate does one of two things, as its basic constraints say."""

    manifest: Mapping[bytes, Certificate]
    """Those that are no CA sign entries; by the SHA-256 of the certificate."""
    authorities: tuple[Certificate, ...]
    """CAs at which the certificates of elements end."""

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read a PEM bundle of manifest signers and CAs.

        Raises `MalformedMessage`; `MisuseError` where one of the two kinds is missing.
        """
        trusted = load_chain(pem)
        signers = {bytes.fromhex(one.fingerprint): one for one in trusted if not one.is_ca}
        authorities = tuple(one for one in trusted if one.is_ca)
        if not signers or not authorities:
            missing = "CA of elements' certificates" if signers else "certificate of a manifest signer"
            raise MisuseError(
                f"the file of signers has no {missing}",
                next_step="Put both into one PEM file, as the chip maker publishes them.",
            )
        return cls(signers, authorities)


def read_manifest(data: bytes, signers: TrustedSigners) -> Manifest:
    """Read a whole manifest: each entry stands or falls by itself.

    An element that is proved twice counts once: the later entry is refused. Raises `MalformedMessage` for
    what is no manifest as a whole.
    """
    if len(data) > MANIFEST_CAP:
        raise MalformedManifest(f"a manifest has at most {MANIFEST_CAP // 2**20} MiB")
    entries = _decoded(data, list[msgspec.Raw], "the file")
    if len(entries) > ENTRIES_CAP:
        raise MalformedManifest(f"a manifest has at most {ENTRIES_CAP} entries, this one has {len(entries)}")
    elements: dict[int, Element] = {}
    refused: dict[int, str] = {}
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        try:
            elements[number] = _first(read_element(bytes(entry), signers), number, seen)
        except PeerError as error:
            refused[number] = error.message
    return Manifest(elements, refused)


def read_element(entry: bytes, signers: TrustedSigners) -> Element:
    """Verify one entry and return the element that it proves.

    Raises `MalformedMessage` and `VerificationFailed`; nothing of the payload is read before its signature
    holds.
    """
    sent = _decoded(entry, _Entry, "the entry")
    signer = _signer(sent.protected, signers.manifest)
    signature = base64url.decode(sent.signature)
    signer.public_key.verify(signature, f"{sent.protected}.{sent.payload}".encode())
    said = _decoded(base64url.decode(sent.payload), _Payload, "the payload")
    if said.version not in VERSIONS:
        raise MalformedManifest(f"the payload has none of the versions {sorted(VERSIONS)}")
    if said.unique_id != sent.header.unique_id:
        raise ElementRefused("the unique id beside the payload is not the signed one")
    signer.check_validity(said.provisioning_timestamp)
    key = _device_key(said.public_key_set.keys)
    public_key = _public_key(key)
    _check_chain(key, public_key, signers.authorities, said.provisioning_timestamp)
    return Element(_hardware_id(said.unique_id), public_key)


def _first(element: Element, number: int, seen: dict[str, int]) -> Element:
    first = seen.setdefault(element.hardware_id, number)
    if first != number:
        raise ElementRepeated(f"element {element.hardware_id} is entry {first} already")
    return element


def _signer(protected: str, signers: Mapping[bytes, Certificate]) -> Certificate:
    """Return the trusted signer that a protected header names (RFC 7515 section 4.1.8)."""
    header = _decoded(base64url.decode(protected), _Protected, "the protected header")
    if header.alg != _ALGORITHM or header.typ != _TYPE:
        raise ElementRefused(f"an entry is a {_TYPE} signed with {_ALGORITHM} and nothing else")
    signer = signers.get(base64url.decode(header.fingerprint))
    if signer is None:
        raise ElementRefused("its signer is not among the trusted ones")
    return signer


def _device_key(keys: Sequence[_Key]) -> _Key:
    found = [key for key in keys if key.kid == SLOT]
    if len(found) != 1:
        raise MalformedManifest(f"an element has one key in slot {SLOT}, this has {len(found)}")
    return found[0]


def _public_key(key: _Key) -> PublicKey:
    """Read a JWK of the curve P-256 (RFC 7518 section 6.2.1)."""
    if (key.kty, key.crv) != ("EC", "P-256"):
        raise MalformedManifest(f"the key in slot {SLOT} is not on the curve P-256")
    x, y = base64url.decode(key.x), base64url.decode(key.y)
    if {len(x), len(y)} != {_COORDINATE_LENGTH}:
        raise MalformedManifest(f"a coordinate has {_COORDINATE_LENGTH} bytes")
    return PublicKey.from_point(_UNCOMPRESSED + x + y)


def _check_chain(key: _Key, public_key: PublicKey, authorities: Sequence[Certificate], at: datetime) -> None:
    """Check that the certificates speak of this key and end at a trusted CA (RFC 7517 section 4.7)."""
    if len(key.x5c) not in CHAIN_LENGTHS:
        raise MalformedManifest("a key comes with its certificate and its signer's")
    chain = [Certificate(_der(encoded)) for encoded in key.x5c]
    if chain[0].public_key.spki != public_key.spki:
        raise ElementRefused("the element's certificate is of another key")
    for certificate, issuer in pairwise(chain):
        certificate.verify(issuer, now=at)
    _check_anchor(chain[-1], authorities, at)


def _check_anchor(last: Certificate, authorities: Sequence[Certificate], at: datetime) -> None:
    if last in authorities:
        return
    for authority in authorities:
        with suppress(CertificateRefused):
            last.verify(authority, now=at)
            return
    raise ElementRefused("the element's certificates end at no trusted CA")


def _der(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise MalformedManifest("a certificate of the element is not base64") from error


def _hardware_id(unique_id: str) -> str:
    if not _UNIQUE_ID.fullmatch(unique_id):
        raise MalformedManifest("a secure element's unique id has 18 hex digits")
    return parse_hardware_id(unique_id).value


def _decoded(data: bytes, kind: type[T], name: str) -> T:
    """Read JSON; what the reader says is not repeated, because it quotes a stranger's text."""
    try:
        return jsontext.decode(data, kind)
    except jsontext.NotJson as error:
        raise MalformedManifest(f"{name} does not have the form that manifests have") from error
