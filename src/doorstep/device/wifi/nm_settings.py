"""What NetworkManager is told about networks, and how it describes those it hears."""

import struct
import uuid
from collections.abc import Mapping, Sequence
from hashlib import pbkdf2_hmac
from ipaddress import IPv4Address, IPv4Interface
from typing import Any, Final

from dbus_fast import Variant

from doorstep.device.wifi.access_point import AccessPointPlan
from doorstep.device.wifi.nm_bus import Settings
from doorstep.onboarding.network import EapMethod, Enterprise, NetworkCredentials, StaticAddress
from doorstep.wire.provisioning.scan import MAX_SSID, AuthMode, ScanEntry
from doorstep.wire.wpa_control import channel_of

__all__ = ["access_point_settings", "heard_network", "station_settings"]

DHCP_TIMEOUT: Final = 25
PRIVACY, PSK, EAP, SAE = 0x1, 0x100, 0x200, 0x400
"""Flags of access points (``NM80211ApSecurityFlags``)."""


def heard_network(point: Mapping[str, Any]) -> ScanEntry:
    """Return an access point's properties as a network heard."""
    flags = point.get("RsnFlags", 0) | point.get("WpaFlags", 0)
    return ScanEntry(
        bytes(point.get("Ssid", b""))[:MAX_SSID],
        channel_of(point.get("Frequency", 0)),
        point.get("Strength", 0) // 2 - 100,  # NetworkManager tells per cent
        bytes.fromhex(str(point.get("HwAddress", "")).replace(":", "")),
        _auth(flags, point),
    )


def _auth(flags: int, point: Mapping[str, Any]) -> AuthMode:
    if flags & EAP:
        return AuthMode.WPA2_ENTERPRISE
    if flags & SAE:
        return AuthMode.WPA2_WPA3 if flags & PSK else AuthMode.WPA3
    if flags & PSK:
        old, new = point.get("WpaFlags", 0), point.get("RsnFlags", 0)
        return AuthMode.WPA_WPA2 if old and new else AuthMode.WPA if old else AuthMode.WPA2
    return AuthMode.WEP if point.get("Flags", 0) & PRIVACY else AuthMode.OPEN


def station_settings(
    network: NetworkCredentials, interface: str, there: Sequence[Mapping[str, Any]]
) -> Settings:
    """Return a connection to a network; ``there`` are the access points of that name that are heard.

    Without any it is taken for a hidden network, which is asked for by its name.
    """
    wireless = {"ssid": Variant("ay", network.ssid), "mode": Variant("s", "infrastructure")}
    if not there:
        wireless["hidden"] = Variant("b", True)
    settings = _connection(interface) | {"802-11-wireless": wireless, "ipv4": _ipv4(network.static)}
    if network.enterprise is not None:
        settings["802-11-wireless-security"] = {"key-mgmt": Variant("s", "wpa-eap")}
        settings["802-1x"] = _enterprise(network.enterprise)
    elif network.passphrase:
        only_wpa3 = bool(there) and all(heard_network(point).auth is AuthMode.WPA3 for point in there)
        settings["802-11-wireless-security"] = {
            "key-mgmt": Variant("s", "sae" if only_wpa3 else "wpa-psk"),
            "psk": Variant("s", _psk(network)),
        }
    return settings


def access_point_settings(plan: AccessPointPlan, interface: str) -> Settings:
    """Return a connection that is an access point."""
    wireless = {
        "ssid": Variant("ay", plan.ssid),
        "mode": Variant("s", "ap"),
        "band": Variant("s", "bg"),
        "channel": Variant("u", plan.channel),
    }
    ipv4 = {"method": Variant("s", "manual"), "address-data": _address(plan.address)}
    settings = _connection(interface) | {"802-11-wireless": wireless, "ipv4": ipv4}
    if plan.key:
        settings["802-11-wireless-security"] = {
            "key-mgmt": Variant("s", "wpa-psk"),
            "psk": Variant("s", _psk(NetworkCredentials(plan.ssid, plan.key))),
            "proto": Variant("as", ["rsn"]),
            "pairwise": Variant("as", ["ccmp"]),
            "group": Variant("as", ["ccmp"]),
        }
    return settings


def _connection(interface: str) -> Settings:
    return {
        "connection": {
            "id": Variant("s", "doorstep"),
            "uuid": Variant("s", str(uuid.uuid4())),
            "type": Variant("s", "802-11-wireless"),
            "interface-name": Variant("s", interface),
            "autoconnect": Variant("b", False),
        },
        "ipv6": {"method": Variant("s", "ignore")},
    }


def _ipv4(static: StaticAddress | None) -> dict[str, Variant]:
    if static is None:
        wait = {"dhcp-timeout": Variant("i", DHCP_TIMEOUT), "may-fail": Variant("b", False)}
        return {"method": Variant("s", "auto")} | wait
    servers = [struct.unpack("=I", IPv4Address(server).packed)[0] for server in static.name_servers]
    fixed = {"address-data": _address(static.address), "gateway": Variant("s", static.gateway)}
    return {"method": Variant("s", "manual"), "dns": Variant("au", servers)} | fixed


def _address(cidr: str) -> Variant:
    own = IPv4Interface(cidr)
    one = {"address": Variant("s", str(own.ip)), "prefix": Variant("u", own.network.prefixlen)}
    return Variant("aa{sv}", [one])


def _psk(network: NetworkCredentials) -> str:
    """Return the passphrase, which WPA3 needs, or the key where D-Bus cannot carry its octets."""
    try:
        return network.passphrase.decode("ascii")
    except UnicodeDecodeError:
        return pbkdf2_hmac("sha1", network.passphrase, network.ssid, 4096, 32).hex()


def _enterprise(network: Enterprise) -> dict[str, Variant]:
    settings = {
        "eap": Variant("as", [network.method.value]),
        "identity": Variant("s", network.identity),
        "ca-cert": Variant("ay", network.ca_certificate),
    }
    if network.server_name:
        settings["domain-suffix-match"] = Variant("s", network.server_name)
    if network.method is EapMethod.TLS:
        own = {"client-cert": network.certificate, "private-key": network.private_key}
        settings |= {name: Variant("ay", value) for name, value in own.items()}
        return settings | {"private-key-password-flags": Variant("u", 4)}  # it has none
    inner = "mschapv2" if network.method is EapMethod.PEAP else "pap"
    return settings | {"password-raw": Variant("ay", network.password), "phase2-auth": Variant("s", inner)}
