"""Which certificates there are, what each says and how long it lives.

```
device root CA            the maker's; can be taken offline
├── factory CA            issues IDevIDs (IEEE 802.1AR): who the device is, for ever
└── operations CA         issues what can be taken away: operational client certificates of devices
                          and server certificates of our own listeners
```

A listener that admits devices trusts the operations CA alone, so that an IDevID never opens a session
and "revoked" means "not renewed". A device trusts the root, so that the operations CA can be replaced.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.crypto.x509 import (
    Certificate,
    CertificateRefused,
    CertificateSpec,
    DistinguishedName,
    HardwareModule,
    Issuer,
    Publication,
    Purpose,
    SigningRequest,
    issue,
    issue_root,
)
from doorstep.errors import MisuseError
from doorstep.identity.ids import check_device_id, check_serial

__all__ = [
    "DEFAULT_OPERATIONAL_LIFETIME",
    "DOORSTEP_HARDWARE_TYPE",
    "MAX_OPERATIONAL_LIFETIME",
    "NEVER",
    "SERVER_LIFETIME",
    "issue_idevid",
    "issue_operational",
    "issue_responder",
    "issue_server",
    "issue_setup_server",
    "make_factory_ca",
    "make_operations_ca",
    "make_root",
    "new_certificate_serial",
    "verify_idevid",
    "verify_operational",
]

NEVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The notAfter of what does not expire: 99991231235959Z (RFC 5280 §4.1.2.5, IEEE 802.1AR)."""

_ALWAYS: Final = datetime(1970, 1, 2, tzinfo=UTC)

DEFAULT_OPERATIONAL_LIFETIME: Final = timedelta(days=7)
"""A device renews at two thirds of it."""

MAX_OPERATIONAL_LIFETIME: Final = timedelta(days=90)
"""Longer would turn "not renewed" into a poor kind of revocation."""

SERVER_LIFETIME: Final = timedelta(days=90)
"""Our own listeners get a new certificate at start, or earlier."""

OPERATIONS_CA_LIFETIME: Final = timedelta(days=3650)
"""The root must come back from its safe once in this time."""

DOORSTEP_HARDWARE_TYPE: Final = "2.25.211445454077458611627385273458200810219"
"""hwType of a maker without a private enterprise number (ITU-T X.667: a UUID needs no registration)."""

_BACKDATE: Final = timedelta(days=1)
"""A clock that is up to a day slow still accepts a fresh certificate."""

_ORGANIZATION_CAP: Final = 64
"""ub-organization-name (RFC 5280 appendix A.1)."""

_SERVER_NAMES_CAP: Final = 100
"""Names in one server certificate."""


def new_certificate_serial(rng: Callable[[int], bytes]) -> int:
    """Draw a positive serial number of 159 bits at most (RFC 5280 §4.1.2.2: 20 octets)."""
    return (int.from_bytes(rng(20), "big") >> 1) | 1


def make_root(maker: str, key: PrivateKey, *, now: datetime, serial: int) -> Certificate:
    """Make the maker's device root: it outlives every device."""
    spec = _ca_spec(maker, "Device Root CA", key.public_key, serial=serial, path_length=1, not_before=now)
    return issue_root(spec, key)


def make_factory_ca(
    maker: str, public_key: PublicKey, root: Issuer, *, now: datetime, serial: int
) -> Certificate:
    """Make the CA that issues IDevIDs; its certificates cannot pose as servers."""
    spec = _ca_spec(
        maker,
        "Factory CA",
        public_key,
        serial=serial,
        not_before=now,
        purposes=(Purpose.CLIENT_AUTH,),
    )
    return issue(spec, root)


def make_operations_ca(
    maker: str, public_key: PublicKey, root: Issuer, *, now: datetime, serial: int
) -> Certificate:
    """Make the CA that issues operational client certificates and our listeners' server certificates."""
    spec = _ca_spec(
        maker,
        "Operations CA",
        public_key,
        serial=serial,
        not_before=now,
        not_after=now + OPERATIONS_CA_LIFETIME,
        purposes=(Purpose.CLIENT_AUTH, Purpose.SERVER_AUTH),
    )
    return issue(spec, root)


def issue_idevid(  # noqa: PLR0913 - a certificate has this many facts
    factory: Issuer,
    public_key: PublicKey,
    *,
    device_id: str,
    device_serial: str,
    now: datetime,
    serial: int,
    hardware_type: str = DOORSTEP_HARDWARE_TYPE,
) -> Certificate:
    """Issue a device's birth certificate (IEEE 802.1AR IDevID), which never expires."""
    spec = CertificateSpec(
        subject=DistinguishedName(check_device_id(device_id), serial_number=check_serial(device_serial)),
        public_key=public_key,
        serial=serial,
        not_before=now - _BACKDATE,
        not_after=NEVER,
        hardware_module=HardwareModule(hardware_type, device_serial.encode("ascii")),
    )
    return issue(spec, factory)


def issue_operational(  # noqa: PLR0913 - a certificate has this many facts
    operations: Issuer,
    request: SigningRequest,
    *,
    device_id: str,
    now: datetime,
    lifetime: timedelta,
    serial: int,
    publication: Publication | None = None,
) -> Certificate:
    """Issue the client certificate that a device works with; only the key is taken from its request.

    Raises `MisuseError` for a lifetime that is not between nothing and `MAX_OPERATIONAL_LIFETIME`.
    """
    if not timedelta(0) < lifetime <= MAX_OPERATIONAL_LIFETIME:
        raise MisuseError(f"an operational certificate lives up to {MAX_OPERATIONAL_LIFETIME.days} days")
    spec = CertificateSpec(
        subject=DistinguishedName(check_device_id(device_id)),
        public_key=request.public_key,
        serial=serial,
        not_before=now - _BACKDATE,
        not_after=_within(operations, now + lifetime),
        purposes=(Purpose.CLIENT_AUTH,),
        publication=publication,
    )
    return issue(spec, operations)


def issue_responder(
    operations: Issuer, public_key: PublicKey, *, now: datetime, lifetime: timedelta, serial: int
) -> Certificate:
    """Issue the certificate with which a process answers OCSP for the operations CA (RFC 6960)."""
    spec = CertificateSpec(
        subject=DistinguishedName("OCSP Responder"),
        public_key=public_key,
        serial=serial,
        not_before=now - _BACKDATE,
        not_after=_within(operations, now + lifetime),
        purposes=(Purpose.OCSP_SIGNING,),
    )
    return issue(spec, operations)


def issue_server(
    operations: Issuer, public_key: PublicKey, names: Sequence[str], *, now: datetime, serial: int
) -> Certificate:
    """Issue a server certificate for DNS names and IP addresses, the first of which is its common name."""
    if not 0 < len(names) <= _SERVER_NAMES_CAP:
        raise MisuseError(f"a server certificate has 1 to {_SERVER_NAMES_CAP} names, not {len(names)}")
    addresses = {name: address for name in names if (address := _address(name)) is not None}
    spec = CertificateSpec(
        subject=DistinguishedName(names[0][:_ORGANIZATION_CAP]),
        public_key=public_key,
        serial=serial,
        not_before=now - _BACKDATE,
        not_after=_within(operations, now + SERVER_LIFETIME),
        purposes=(Purpose.SERVER_AUTH,),
        dns_names=tuple(name for name in names if name not in addresses),
        ip_addresses=tuple(addresses.values()),
    )
    return issue(spec, operations)


def issue_setup_server(key: PrivateKey, device_id: str, *, serial: int) -> Certificate:
    """Make a device's own certificate for its set-up server: signed by itself, known by its fingerprint.

    It is made at a first boot, when no clock is right, so it always was and always will be valid.
    """
    spec = CertificateSpec(
        subject=DistinguishedName(check_device_id(device_id)),
        public_key=key.public_key,
        serial=serial,
        not_before=_ALWAYS,
        not_after=NEVER,
        purposes=(Purpose.SERVER_AUTH,),
        dns_names=(device_id,),
    )
    return issue_root(spec, key)


def verify_idevid(certificate: Certificate, factory: Certificate, *, now: datetime) -> str:
    """Check an IDevID against the factory CA and return the device id; raise `CertificateRefused`."""
    certificate.verify(factory, now=now)
    if certificate.is_ca or certificate.hardware_module is None:
        raise CertificateRefused(f"{certificate.subject!r} is not an IDevID")
    return check_device_id(certificate.common_name)


def verify_operational(certificate: Certificate, operations: Certificate, *, now: datetime) -> str:
    """Check an operational certificate and return the device id; raise `CertificateRefused`."""
    certificate.verify(operations, now=now)
    if certificate.is_ca or certificate.purposes != {Purpose.CLIENT_AUTH}:
        raise CertificateRefused(f"{certificate.subject!r} is not a device's operational certificate")
    return check_device_id(certificate.common_name)


def _ca_spec(  # noqa: PLR0913 - a certificate has this many facts
    maker: str,
    role: str,
    public_key: PublicKey,
    *,
    serial: int,
    not_before: datetime,
    not_after: datetime = NEVER,
    path_length: int = 0,
    purposes: tuple[Purpose, ...] = (),
) -> CertificateSpec:
    organization = maker.strip()[:_ORGANIZATION_CAP]
    if not organization:
        raise MisuseError("a CA carries the maker's name, and this name is empty")
    return CertificateSpec(
        subject=DistinguishedName(role, organization=organization),
        public_key=public_key,
        serial=serial,
        not_before=not_before - _BACKDATE,
        not_after=not_after,
        path_length=path_length,
        purposes=purposes,
    )


def _within(issuer: Issuer, wished: datetime) -> datetime:
    """No certificate outlives its issuer."""
    return min(wished, issuer.certificate.not_after)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
