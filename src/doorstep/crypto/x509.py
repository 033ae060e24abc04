"""X.509: build and read certificates and signing requests (RFC 5280, RFC 2986), P-256 only.

What goes into which certificate is policy and stands in `doorstep.identity.certificates`.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.errors import MalformedMessage, VerificationFailed

__all__ = [
    "CERTIFICATE_CAP",
    "Certificate",
    "CertificateRefused",
    "CertificateSpec",
    "DistinguishedName",
    "HardwareModule",
    "Issuer",
    "MalformedCertificate",
    "MalformedRequest",
    "Publication",
    "Purpose",
    "SigningRequest",
    "build_request",
    "issue",
    "issue_root",
    "load_chain",
]

CERTIFICATE_CAP: Final = 8192
"""Bytes of one encoded certificate or signing request that are looked at."""

CHAIN_CAP: Final = 8
"""Certificates in one PEM file that are looked at."""

HARDWARE_MODULE_NAME: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
"""id-on-hardwareModuleName (RFC 4108 §5)."""


_UNREADABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)
"""What the library raises on bytes that are no certificate."""


class MalformedCertificate(MalformedMessage):
    """Bytes are not a certificate that we read."""


class MalformedRequest(MalformedMessage):
    """Bytes are not a PKCS#10 request that we read."""


class CertificateRefused(VerificationFailed):
    """A certificate or request is well formed and does not hold."""


class Purpose(enum.Enum):
    """What a certificate may be used for (extended key usage)."""

    CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
    SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
    OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING
    """Answers OCSP in its issuer's name; nobody asks whether it is revoked itself (id-pkix-ocsp-nocheck)."""


@dataclass(frozen=True, slots=True)
class DistinguishedName:
    """A subject: empty parts are left out."""

    common_name: str
    organization: str = ""
    serial_number: str = ""


@asn1.sequence
class _HardwareModuleName:
    hw_type: x509.ObjectIdentifier
    hw_serial_num: bytes


@dataclass(frozen=True, slots=True)
class HardwareModule:
    """RFC 4108 §5 HardwareModuleName: the maker's type identifier and the module's serial."""

    type_oid: str
    serial: bytes


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """Everything a certificate says, apart from who issued it."""

    subject: DistinguishedName
    public_key: PublicKey
    serial: int
    """Positive, at most 159 bits."""
    not_before: datetime
    not_after: datetime
    path_length: int | None = None
    """How many CAs may follow; None makes an end-entity certificate."""
    purposes: tuple[Purpose, ...] = ()
    """Critical in end-entity certificates; in a CA they bound what its certificates may be used for."""
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    hardware_module: HardwareModule | None = None
    publication: "Publication | None" = None


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a stranger reads whether a certificate still holds; http, as RFC 5280 section 8 asks."""

    crl: str
    ocsp: str
    issuer: str
    """The issuer's certificate, DER."""


@dataclass(frozen=True)
class Certificate:
    """A parsed certificate; ``der`` is what it was parsed from."""

    der: bytes

    def __post_init__(self) -> None:
        """Parse at once, so that a Certificate is always readable."""
        _ = self._parsed, self.public_key

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read the one certificate in ``pem``."""
        return cls(_pem_to_der(pem))

    @property
    def pem(self) -> bytes:
        """PEM encoding."""
        return self._parsed.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER bytes, 64 lower-case hex digits."""
        return self._parsed.fingerprint(hashes.SHA256()).hex()

    @property
    def serial(self) -> int:
        """Serial number given by the issuer."""
        return self._parsed.serial_number

    @property
    def not_before(self) -> datetime:
        """First moment of validity, in UTC."""
        return self._parsed.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """Last moment of validity, in UTC."""
        return self._parsed.not_valid_after_utc

    @property
    def common_name(self) -> str:
        """The subject's only common name; raise `CertificateRefused` when there is none or several."""
        return _only_common_name(self._parsed.subject)

    @property
    def subject(self) -> str:
        """RFC 4514 text of the subject."""
        return self._parsed.subject.rfc4514_string()

    @property
    def issuer(self) -> str:
        """RFC 4514 text of the issuer."""
        return self._parsed.issuer.rfc4514_string()

    @property
    def is_ca(self) -> bool:
        """Whether basic constraints allow it to issue certificates."""
        try:
            return self._extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            return False

    @property
    def purposes(self) -> frozenset[Purpose]:
        """Extended key usages that we know; empty when the certificate does not limit its use."""
        try:
            usages = self._extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            return frozenset()
        return frozenset(purpose for purpose in Purpose if purpose.value in usages)

    @property
    def hardware_module(self) -> HardwareModule | None:
        """The hardwareModuleName in the subject alternative names, if there is one."""
        try:
            names = self._extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return None
        for name in names.get_values_for_type(x509.OtherName):
            if name.type_id == HARDWARE_MODULE_NAME:
                module = _decoded_module(name.value)
                return HardwareModule(module.hw_type.dotted_string, module.hw_serial_num)
        return None

    def verify(self, issuer: "Certificate", *, now: datetime) -> None:
        """Check issuer name, signature, both validity periods and that ``issuer`` may issue.

        Raises `CertificateRefused`; the first of these that does not hold is named.
        """
        try:
            self._parsed.verify_directly_issued_by(issuer._parsed)  # noqa: SLF001 - the same class
        except ValueError as error:
            raise CertificateRefused(
                f"{self.subject!r} does not name {issuer.subject!r} as issuer"
            ) from error
        except (InvalidSignature, TypeError, UnsupportedAlgorithm) as error:
            raise CertificateRefused(f"{issuer.subject!r} did not sign {self.subject!r}") from error
        if not issuer.is_ca:
            raise CertificateRefused(f"{issuer.subject!r} may not issue certificates")
        for certificate in (issuer, self):
            certificate.check_validity(now)

    def check_validity(self, now: datetime) -> None:
        """Raise `CertificateRefused` outside the validity period."""
        if now < self.not_before:
            raise CertificateRefused(f"{self.subject!r} is not valid before {self.not_before.isoformat()}")
        if now > self.not_after:
            raise CertificateRefused(f"{self.subject!r} expired on {self.not_after.isoformat()}")

    @cached_property
    def public_key(self) -> PublicKey:
        """The subject's key; always P-256."""
        return _p256(self._parsed, MalformedCertificate)

    @cached_property
    def _parsed(self) -> x509.Certificate:
        if len(self.der) > CERTIFICATE_CAP:
            raise MalformedCertificate(
                f"a certificate has at most {CERTIFICATE_CAP} bytes, not {len(self.der)}"
            )
        try:
            parsed = x509.load_der_x509_certificate(self.der)
            _ = parsed.subject, parsed.issuer, parsed.not_valid_before_utc, parsed.not_valid_after_utc
        except _UNREADABLE as error:
            raise MalformedCertificate("these bytes are not a certificate") from error
        return parsed

    @cached_property
    def _extensions(self) -> x509.Extensions:
        try:
            return self._parsed.extensions
        except (*_UNREADABLE, x509.DuplicateExtension) as error:
            raise MalformedCertificate("the certificate's extensions cannot be read") from error


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA certificate with its private key."""

    certificate: Certificate
    key: PrivateKey


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A PKCS#10 request whose own signature holds: the sender has the private key."""

    common_name: str
    """What the sender wishes to be called; empty when it does not say."""
    public_key: PublicKey

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """Read and verify a request; raise `MalformedRequest` or `CertificateRefused`."""
        if len(der) > CERTIFICATE_CAP:
            raise MalformedRequest(f"a signing request has at most {CERTIFICATE_CAP} bytes, not {len(der)}")
        try:
            parsed = x509.load_der_x509_csr(der)
            names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            holds = parsed.is_signature_valid
        except _UNREADABLE as error:
            raise MalformedRequest("these bytes are not a PKCS#10 signing request") from error
        public_key = _p256(parsed, MalformedRequest)
        if not holds:
            raise CertificateRefused("the signing request is not signed by the key it carries")
        return cls(str(names[0].value) if names else "", public_key)


def build_request(key: PrivateKey, common_name: str) -> bytes:
    """Return a DER PKCS#10 request for ``key``."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.sign(key.key, hashes.SHA256(), ecdsa_deterministic=True)
    return request.public_bytes(serialization.Encoding.DER)


def issue(spec: CertificateSpec, issuer: Issuer) -> Certificate:
    """Sign what ``spec`` says in the name of ``issuer``."""
    parent = issuer.certificate._parsed  # noqa: SLF001 - the same module
    subject_key = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key)
    return _signed(spec, parent.subject, authority, issuer.key)


def issue_root(spec: CertificateSpec, key: PrivateKey) -> Certificate:
    """Sign what ``spec`` says by its own key."""
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key.key)
    return _signed(spec, _name(spec.subject), authority, key)


def load_chain(pem: bytes) -> list[Certificate]:
    """Read the certificates of a PEM file in their order; raise `MalformedCertificate`."""
    if len(pem) > CHAIN_CAP * CERTIFICATE_CAP:
        raise MalformedCertificate(f"a chain has at most {CHAIN_CAP} certificates, this file is longer")
    try:
        parsed = x509.load_pem_x509_certificates(pem)
    except _UNREADABLE as error:
        raise MalformedCertificate("this is not a PEM file with certificates") from error
    return [Certificate(one.public_bytes(serialization.Encoding.DER)) for one in parsed]


def _signed(
    spec: CertificateSpec, issuer: x509.Name, authority: x509.AuthorityKeyIdentifier, key: PrivateKey
) -> Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(spec.subject))
        .issuer_name(issuer)
        .public_key(spec.public_key.key)
        .serial_number(spec.serial)
        .not_valid_before(spec.not_before)
        .not_valid_after(spec.not_after)
        .add_extension(authority, critical=False)
    )
    for extension, critical in _extensions_of(spec):
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(key.key, hashes.SHA256(), ecdsa_deterministic=True)
    return Certificate(signed.public_bytes(serialization.Encoding.DER))


def _extensions_of(spec: CertificateSpec) -> Iterable[tuple[x509.ExtensionType, bool]]:
    is_ca = spec.path_length is not None
    yield x509.BasicConstraints(ca=is_ca, path_length=spec.path_length), True
    yield _key_usage(is_ca=is_ca), True
    yield x509.SubjectKeyIdentifier.from_public_key(spec.public_key.key), False
    if spec.purposes:
        yield x509.ExtendedKeyUsage([purpose.value for purpose in spec.purposes]), not is_ca
    if Purpose.OCSP_SIGNING in spec.purposes:
        yield x509.OCSPNoCheck(), False
    if spec.publication is not None:
        yield from _published(spec.publication)
    names = [*_alternative_names(spec)]
    if names:
        yield x509.SubjectAlternativeName(names), False


def _published(where: Publication) -> Iterable[tuple[x509.ExtensionType, bool]]:
    crl = x509.DistributionPoint([x509.UniformResourceIdentifier(where.crl)], None, None, None)
    yield x509.CRLDistributionPoints([crl]), False
    places = (
        (AuthorityInformationAccessOID.OCSP, where.ocsp),
        (AuthorityInformationAccessOID.CA_ISSUERS, where.issuer),
    )
    descriptions = [x509.AccessDescription(oid, x509.UniformResourceIdentifier(url)) for oid, url in places]
    yield x509.AuthorityInformationAccess(descriptions), False


def _alternative_names(spec: CertificateSpec) -> Iterable[x509.GeneralName]:
    yield from (x509.DNSName(name) for name in spec.dns_names)
    yield from (x509.IPAddress(address) for address in spec.ip_addresses)
    if spec.hardware_module is not None:
        module = _HardwareModuleName(
            hw_type=x509.ObjectIdentifier(spec.hardware_module.type_oid),
            hw_serial_num=spec.hardware_module.serial,
        )
        yield x509.OtherName(HARDWARE_MODULE_NAME, asn1.encode_der(module))


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _name(subject: DistinguishedName) -> x509.Name:
    parts = (
        (NameOID.ORGANIZATION_NAME, subject.organization),
        (NameOID.COMMON_NAME, subject.common_name),
        (NameOID.SERIAL_NUMBER, subject.serial_number),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


def _only_common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(found) != 1:
        raise CertificateRefused(f"a certificate has one common name, this has {len(found)}")
    return str(found[0].value)


def _p256(
    carrier: x509.Certificate | x509.CertificateSigningRequest, error_type: type[MalformedMessage]
) -> PublicKey:
    try:
        key = carrier.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise error_type("its public key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise error_type("its public key is not on the curve P-256")
    return PublicKey(key)


def _decoded_module(der: bytes) -> _HardwareModuleName:
    try:
        return asn1.decode_der(_HardwareModuleName, der)
    except ValueError as error:
        raise MalformedCertificate("its hardwareModuleName cannot be read") from error


def _pem_to_der(pem: bytes) -> bytes:
    chain = load_chain(pem)
    if len(chain) != 1:
        raise MalformedCertificate(f"one certificate was expected, this file has {len(chain)}")
    return chain[0].der
