"""Revocation lists (RFC 5280 section 5) and OCSP (RFC 6960): what an issuer says about its certificates.

Which certificates are revoked, and how long an answer holds, is decided by whoever calls.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MalformedMessage

__all__ = [
    "OCSP_REQUEST_CAP",
    "MalformedOcspRequest",
    "OcspFailure",
    "OcspQuestion",
    "Reason",
    "Revoked",
    "Validity",
    "answer_ocsp",
    "build_crl",
    "refuse_ocsp",
]

OCSP_REQUEST_CAP: Final = 4096
"""Bytes of a request that are looked at."""

_NONCE_CAP: Final = 128
"""Bytes of a nonce that are echoed (RFC 9654)."""

_HASHES: Final = (hashes.SHA1, hashes.SHA256)


class MalformedOcspRequest(MalformedMessage):
    """Bytes are not an OCSP request that we read."""


class Reason(enum.Enum):
    """Why a certificate ended (RFC 5280 section 5.3.1)."""

    WITHDRAWN = x509.ReasonFlags.privilege_withdrawn
    """The device was revoked."""
    SUPERSEDED = x509.ReasonFlags.superseded
    """The device has a newer one."""


class OcspFailure(enum.Enum):
    """Answers without a signature (RFC 6960 section 2.3)."""

    MALFORMED = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    UNAUTHORIZED = ocsp.OCSPResponseStatus.UNAUTHORIZED
    """About a certificate of another issuer."""
    TRY_LATER = ocsp.OCSPResponseStatus.TRY_LATER


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that ended before its time."""

    serial: int
    at: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Validity:
    """How long what is said holds."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class OcspQuestion:
    """A request about one certificate; ``der`` is what it was read from."""

    serial: int
    nonce: bytes | None
    algorithm: hashes.HashAlgorithm
    name_hash: bytes
    key_hash: bytes

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """Read a request about one certificate; raise MalformedOcspRequest. Signatures are not asked for."""
        if len(der) > OCSP_REQUEST_CAP:
            raise MalformedOcspRequest(f"an OCSP request has at most {OCSP_REQUEST_CAP} bytes")
        try:
            parsed = ocsp.load_der_ocsp_request(der)
            algorithm, serial = parsed.hash_algorithm, parsed.serial_number
            nonce = _nonce(parsed)
        except (ValueError, TypeError, UnsupportedAlgorithm, NotImplementedError) as error:
            raise MalformedOcspRequest("these bytes are not an OCSP request about one certificate") from error
        if not isinstance(algorithm, _HASHES):
            raise MalformedOcspRequest("an OCSP request names its issuer by SHA-1 or SHA-256")
        return cls(serial, nonce, algorithm, parsed.issuer_name_hash, parsed.issuer_key_hash)

    def is_about(self, issuer: Certificate) -> bool:
        """Whether the certificate it asks for is one of this issuer's."""
        parsed = issuer._parsed  # noqa: SLF001 - the same package
        key = parsed.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return (self.name_hash, self.key_hash) == (
            self._hash(parsed.subject.public_bytes()),
            self._hash(key),
        )

    def _hash(self, data: bytes) -> bytes:
        digest = hashes.Hash(self.algorithm)
        digest.update(data)
        return digest.finalize()


def build_crl(issuer: Issuer, revoked: Iterable[Revoked], number: int, validity: Validity) -> bytes:
    """Sign a complete list in the name of ``issuer`` and return it as DER; ``number`` must grow."""
    parent = issuer.certificate._parsed  # noqa: SLF001 - the same package
    subject_key = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(parent.subject)
        .last_update(validity.since)
        .next_update(validity.until)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key), critical=False
        )
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for one in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial)
            .revocation_date(one.at)
            .add_extension(x509.CRLReason(one.reason.value), critical=False)
        )
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(issuer.key.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def answer_ocsp(
    question: OcspQuestion, revoked: Revoked | None, responder: Issuer, validity: Validity, *, known: bool
) -> bytes:
    """Sign what is so about one certificate: revoked, good when it is known, unknown otherwise.

    ``responder`` is the delegated one (RFC 6960 section 4.2.2.2), whose certificate goes with the answer.
    """
    good = ocsp.OCSPCertStatus.GOOD if known else ocsp.OCSPCertStatus.UNKNOWN
    mine = responder.certificate._parsed  # noqa: SLF001 - the same package
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=question.name_hash,
            issuer_key_hash=question.key_hash,
            serial_number=question.serial,
            algorithm=question.algorithm,
            cert_status=good if revoked is None else ocsp.OCSPCertStatus.REVOKED,
            this_update=validity.since,
            next_update=validity.until,
            revocation_time=None if revoked is None else revoked.at,
            revocation_reason=None if revoked is None else revoked.reason.value,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, mine)
        .certificates([mine])
    )
    if question.nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(question.nonce), critical=False)
    signed = builder.sign(responder.key.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def refuse_ocsp(failure: OcspFailure) -> bytes:
    """Return an answer that says why there is none."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(failure.value).public_bytes(serialization.Encoding.DER)


def _nonce(parsed: ocsp.OCSPRequest) -> bytes | None:
    try:
        nonce = parsed.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
    return nonce if len(nonce) <= _NONCE_CAP else None
