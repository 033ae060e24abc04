"""What a network may need beside name and password: a fixed address, and how to prove oneself by EAP.

`SetDetails` {fixed = 1 {address = 1 (4 bytes), prefix = 2, gateway = 3 (4 bytes), name_servers = 4 (4 bytes
each)}, eap = 2 {method = 1, identity = 2 text, server_name = 3 text, ca_certificate = 4, password = 5,
certificate = 6, private_key = 7}}; certificates and the key are DER.
"""

import enum
from dataclasses import dataclass, field

from doorstep.errors import MalformedMessage
from doorstep.wire.protobuf import Fields, put_message, put_octets, put_uint
from doorstep.wire.provisioning.common import Status, read_enum

__all__ = [
    "DetailsSet",
    "EapDetails",
    "EapKind",
    "FixedAddress",
    "SetDetails",
    "read_details",
    "write_details",
]

ADDRESS = 4
MAX_PREFIX = 32
MAX_NAME_SERVERS = 3
MAX_TEXT = 512
MAX_PASSWORD = 128
MAX_DER = 1900


class EapKind(enum.IntEnum):
    """The method by number."""

    PEAP = 1
    TTLS = 2
    TLS = 3


@dataclass(frozen=True, slots=True)
class FixedAddress:
    """An IPv4 address, its prefix's length, the gateway, and up to three name servers one after the other."""

    address: bytes
    prefix: int
    gateway: bytes
    name_servers: bytes = b""


@dataclass(frozen=True, slots=True)
class EapDetails:
    """Who the device says it is, what it proves that by, and whom it proves it to."""

    method: EapKind
    identity: str
    server_name: str
    ca_certificate: bytes
    password: bytes = field(default=b"", repr=False)
    certificate: bytes = b""
    private_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class SetDetails:
    """Add to the network that was set last and is not tried yet."""

    fixed: FixedAddress | None = None
    eap: EapDetails | None = None


@dataclass(frozen=True, slots=True)
class DetailsSet:
    """Answer to `SetDetails`."""

    status: Status = Status.SUCCESS


def write_details(message: SetDetails) -> bytes:
    """Write the body of `SetDetails`."""
    fixed, eap = message.fixed, message.eap
    body = b""
    if fixed is not None:
        own = put_octets(1, fixed.address) + put_uint(2, fixed.prefix)
        body += put_message(1, own + put_octets(3, fixed.gateway) + put_octets(4, fixed.name_servers))
    if eap is not None:
        texts = (eap.identity.encode(), eap.server_name.encode())
        parts = (*texts, eap.ca_certificate, eap.password, eap.certificate, eap.private_key)
        octets = b"".join(put_octets(number, part) for number, part in enumerate(parts, 2))
        body += put_message(2, put_uint(1, eap.method) + octets)
    return body


def read_details(body: Fields) -> SetDetails:
    """Read the body of `SetDetails`; raise `MalformedMessage` on what is neither or cannot be."""
    fixed = _fixed(body.message(1)) if body.has(1) else None
    eap = _eap(body.message(2)) if body.has(2) else None
    if fixed is None and eap is None:
        raise MalformedMessage("the details of a network say nothing")
    return SetDetails(fixed, eap)


def _fixed(fields: Fields) -> FixedAddress:
    address, gateway = fields.octets(1, most=ADDRESS), fields.octets(3, most=ADDRESS)
    name_servers = fields.octets(4, most=MAX_NAME_SERVERS * ADDRESS)
    if len(address) != ADDRESS or len(gateway) != ADDRESS or len(name_servers) % ADDRESS:
        raise MalformedMessage("an IPv4 address has 4 bytes")
    return FixedAddress(address, fields.uint(2, most=MAX_PREFIX), gateway, name_servers)


def _eap(fields: Fields) -> EapDetails:
    return EapDetails(
        read_enum(fields, 1, EapKind),
        fields.text(2, most=MAX_TEXT),
        fields.text(3, most=MAX_TEXT),
        fields.octets(4, most=MAX_DER),
        fields.octets(5, most=MAX_PASSWORD),
        fields.octets(6, most=MAX_DER),
        fields.octets(7, most=MAX_DER),
    )
