"""The network that a device is to join, and how the attempt ended."""

import enum
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface
from typing import Final

from doorstep.errors import SettingsError
from doorstep.wire.provisioning.scan import BSSID_SIZE, MAX_SSID, AuthMode

__all__ = [
    "EapMethod",
    "Enterprise",
    "JoinFailure",
    "JoinOutcome",
    "Joined",
    "NetworkCredentials",
    "StaticAddress",
]

MIN_PASSPHRASE = 8
MAX_PASSPHRASE = 63
MAX_CHANNEL = 233
HEX_KEY = re.compile(rb"[0-9A-Fa-f]{64}")
MAX_IDENTITY: Final = 128
MAX_DER: Final = 1900
"""Bytes of a certificate or key: what fits into one command to wpa_supplicant. RSA with 2048 bits does."""
MAX_NAME_SERVERS: Final = 3


class EapMethod(enum.Enum):
    """How a device proves itself to an enterprise network."""

    PEAP = "peap"
    """A password inside TLS, by MSCHAPv2."""
    TTLS = "ttls"
    """A password inside TLS, by PAP."""
    TLS = "tls"
    """A certificate of its own."""


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A network with 802.1X; certificates and keys are DER, the key as PKCS #8.

    The network's certificate authority always stands in it, for without one any access point of that name
    would get the password. Raises `SettingsError` on what no such network can have.
    """

    method: EapMethod
    identity: str
    ca_certificate: bytes
    server_name: str = ""
    """Domain that the server's certificate must name; needed where the authority is a public one."""
    password: bytes = field(default=b"", repr=False)
    certificate: bytes = b""
    private_key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Check that all is there that the method needs, and nothing else."""
        wanted = (True, True, False) if self.method is EapMethod.TLS else (False, False, True)
        if (bool(self.certificate), bool(self.private_key), bool(self.password)) != wanted:
            what = "a certificate with its key" if self.method is EapMethod.TLS else "a password"
            raise SettingsError(
                f"EAP-{self.method.name} takes {what} and nothing else.",
                next_step="Ask whoever runs the network what it expects of its devices.",
            )
        if not self.ca_certificate:
            raise SettingsError(
                "An enterprise network needs the certificate of its authority: without it the device would "
                "prove itself to anybody.",
                next_step="Ask whoever runs the network for that certificate.",
            )
        if max(map(len, (self.ca_certificate, self.certificate, self.private_key))) > MAX_DER:
            raise SettingsError(f"A certificate or key of a network has at most {MAX_DER} bytes (DER).")
        texts = (self.identity, self.server_name)
        if not self.identity or max(map(len, (*texts, self.password))) > MAX_IDENTITY:
            raise SettingsError(f"An identity has 1 to {MAX_IDENTITY} characters, its password no more.")
        if not all(text.isprintable() for text in texts):
            raise SettingsError("An identity and a server's name have printable characters only.")


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """An IPv4 address for a network that gives none; raises `SettingsError` on what cannot work."""

    address: str
    """With the length of the network's prefix, as ``192.168.1.20/24``."""
    gateway: str
    name_servers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that they are addresses, and that the gateway can be reached."""
        try:
            own, gateway = IPv4Interface(self.address), IPv4Address(self.gateway)
            for server in self.name_servers:
                IPv4Address(server)
        except ValueError:
            raise SettingsError(
                "The fixed address, its gateway or a name server is no IPv4 address.",
                next_step="Write them as 192.168.1.20/24, 192.168.1.1 and 192.168.1.1.",
            ) from None
        if "/" not in self.address or gateway not in own.network or gateway == own.ip:
            raise SettingsError(
                f"The gateway {gateway} is not in the network of the fixed address {self.address}.",
                next_step="Give the address with its prefix, as 192.168.1.20/24.",
            )
        if len(self.name_servers) > MAX_NAME_SERVERS:
            raise SettingsError(f"A fixed address comes with at most {MAX_NAME_SERVERS} name servers.")


@dataclass(frozen=True, slots=True)
class NetworkCredentials:
    """Name and key of a network, octets both; raises `SettingsError` on what no network can have.

    ``passphrase`` is empty (open or enterprise), 8 to 63 octets, or 64 hexadecimal digits. ``bssid`` and
    ``channel`` are hints and may be absent. Without ``static`` the network gives the address.
    """

    ssid: bytes
    passphrase: bytes = field(default=b"", repr=False)
    bssid: bytes = b""
    channel: int = 0
    enterprise: Enterprise | None = None
    static: StaticAddress | None = None

    def __post_init__(self) -> None:
        """Check every value once, so that whoever holds one may use it."""
        if len(self.ssid) > MAX_SSID:
            raise SettingsError(
                f"The network name has {len(self.ssid)} bytes, more than the {MAX_SSID} that Wi-Fi allows.",
                next_step="Check the name of the network.",
            )
        if not _is_passphrase(self.passphrase):
            raise SettingsError(
                "The Wi-Fi password is neither empty, nor 8 to 63 bytes long, nor 64 hexadecimal digits.",
                next_step="Check the password of the network.",
            )
        if len(self.bssid) not in (0, BSSID_SIZE) or not 0 <= self.channel <= MAX_CHANNEL:
            raise SettingsError("The access point's address or channel cannot exist.")
        if self.enterprise is not None and self.passphrase:
            raise SettingsError("A network has a password or enterprise credentials, not both.")

    def check_plain(self, carrier: str) -> None:
        """Raise `SettingsError` on what ``carrier``, a method or a message, has no words for."""
        if self.enterprise is not None or self.static is not None:
            raise SettingsError(
                f"{carrier} can carry no enterprise network and no fixed address.",
                next_step="Set the device up by its label's code, over Wi-Fi, Bluetooth or a serial line.",
            )


@dataclass(frozen=True, slots=True)
class Joined:
    """The device is on the network and has an address."""

    ip4_addr: str
    auth: AuthMode = AuthMode.OPEN
    bssid: bytes = b""
    channel: int = 0


class JoinFailure(enum.Enum):
    """Why the device is not on the network."""

    WRONG_PASSWORD = "wrong password"  # noqa: S105 — a reason, not a password
    NO_SUCH_NETWORK = "no such network"
    NO_ADDRESS = "no address"
    RADIO_FAILED = "radio failed"


JoinOutcome = Joined | JoinFailure


def _is_passphrase(value: bytes) -> bool:
    if not value or MIN_PASSPHRASE <= len(value) <= MAX_PASSPHRASE:
        return True
    return HEX_KEY.fullmatch(value) is not None
