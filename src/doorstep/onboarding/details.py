"""A network's fixed address and enterprise credentials, as our own endpoint carries them."""

from ipaddress import IPv4Address, IPv4Interface
from typing import Final

from doorstep.errors import SettingsError
from doorstep.onboarding.network import EapMethod, Enterprise, NetworkCredentials, StaticAddress
from doorstep.wire.provisioning.delivery import encode_delivery
from doorstep.wire.provisioning.details import EapDetails, EapKind, FixedAddress, SetDetails

__all__ = ["CAPABILITY", "details_message", "enterprise_of", "static_of"]

CAPABILITY: Final = "network"
"""How a device that takes them says so under our own label."""

MAX_PLAIN: Final = 4096 - 16
"""Bytes of a message that a device takes, less what seals it."""

_METHODS: Final = {EapMethod.PEAP: EapKind.PEAP, EapMethod.TTLS: EapKind.TTLS, EapMethod.TLS: EapKind.TLS}
_KINDS: Final = {kind: method for method, kind in _METHODS.items()}


def details_message(network: NetworkCredentials) -> bytes | None:
    """Return the message for what the network needs beside name and password; None where that is nothing.

    Raises `SettingsError` where it is more than a device takes at once.
    """
    static, enterprise = network.static, network.enterprise
    if static is None and enterprise is None:
        return None
    message = encode_delivery(
        SetDetails(
            None if static is None else _fixed(static), None if enterprise is None else _eap(enterprise)
        )
    )
    if len(message) > MAX_PLAIN:
        raise SettingsError(
            f"The network's certificates and key make {len(message)} bytes, more than the {MAX_PLAIN} that a "
            "device takes.",
            next_step="Use a P-256 key with its certificate, or give the authority's own certificate alone.",
        )
    return message


def static_of(message: SetDetails) -> StaticAddress | None:
    """Return the fixed address; raises `SettingsError` on one that cannot work."""
    fixed = message.fixed
    if fixed is None:
        return None
    servers = [fixed.name_servers[at : at + 4] for at in range(0, len(fixed.name_servers), 4)]
    return StaticAddress(
        f"{IPv4Address(fixed.address)}/{fixed.prefix}",
        str(IPv4Address(fixed.gateway)),
        tuple(str(IPv4Address(server)) for server in servers),
    )


def enterprise_of(message: SetDetails) -> Enterprise | None:
    """Return the enterprise credentials; raises `SettingsError` on what no such network can have."""
    eap = message.eap
    if eap is None:
        return None
    return Enterprise(
        _KINDS[eap.method],
        eap.identity,
        eap.ca_certificate,
        eap.server_name,
        eap.password,
        eap.certificate,
        eap.private_key,
    )


def _fixed(static: StaticAddress) -> FixedAddress:
    own = IPv4Interface(static.address)
    servers = b"".join(IPv4Address(server).packed for server in static.name_servers)
    return FixedAddress(own.ip.packed, own.network.prefixlen, IPv4Address(static.gateway).packed, servers)


def _eap(enterprise: Enterprise) -> EapDetails:
    return EapDetails(
        _METHODS[enterprise.method],
        enterprise.identity,
        enterprise.server_name,
        enterprise.ca_certificate,
        enterprise.password,
        enterprise.certificate,
        enterprise.private_key,
    )
