"""DHCP messages (RFC 2131, RFC 2132), as much as an access point needs to give phones an address."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = ["MAX_DHCP", "DhcpKind", "DhcpMessage", "DhcpOption", "decode_dhcp", "encode_dhcp"]

MAX_DHCP: Final = 1500
HEAD_SIZE: Final = 236
"""Up to the magic cookie, names of server and boot file included."""
COOKIE: Final = bytes((99, 130, 83, 99))
ETHERNET: Final = 1
MAC_SIZE: Final = 6
MAX_OPTION: Final = 255
MIN_SIZE: Final = 300
"""Some clients drop what is shorter than BOOTP was."""
BROADCAST: Final = 0x8000
NOBODY: Final = IPv4Address(0)


class DhcpKind(enum.IntEnum):
    """What a message says (option 53)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class DhcpOption(enum.IntEnum):
    """The options that we read or write."""

    SUBNET_MASK = 1
    ROUTER = 3
    NAME_SERVER = 6
    REQUESTED_ADDRESS = 50
    LEASE_SECONDS = 51
    KIND = 53
    SERVER = 54
    CAPTIVE_PORTAL = 114
    """RFC 8910: where the phone learns that it is in a captive network."""


PAD, END = 0, 255


@dataclass(frozen=True, slots=True)
class DhcpMessage:
    """One message; ``is_reply`` is a server's. Options are octets, without the kind."""

    kind: DhcpKind
    transaction: int
    hardware: bytes
    """MAC address of the client."""
    is_reply: bool = False
    wants_broadcast: bool = False
    client: IPv4Address = NOBODY
    """The address that the client has already."""
    your: IPv4Address = NOBODY
    """The address that the server gives."""
    options: Mapping[int, bytes] = field(default_factory=dict)

    def address(self, option: DhcpOption) -> IPv4Address | None:
        """Return an option that is an address, None where it is missing or of another size."""
        value = self.options.get(option, b"")
        return IPv4Address(value) if len(value) == 4 else None  # noqa: PLR2004 - octets of an address


def encode_dhcp(message: DhcpMessage) -> bytes:
    """Write a message."""
    head = bytes((2 if message.is_reply else 1, ETHERNET, MAC_SIZE, 0))
    head += message.transaction.to_bytes(4) + bytes(2)
    head += (BROADCAST if message.wants_broadcast else 0).to_bytes(2)
    head += message.client.packed + message.your.packed + bytes(8)
    head += message.hardware.ljust(16, b"\0")
    options = {int(DhcpOption.KIND): bytes((message.kind,)), **message.options}
    body = b"".join(bytes((code, len(value))) + value for code, value in options.items())
    return (head.ljust(HEAD_SIZE, b"\0") + COOKIE + body + bytes((END,))).ljust(MIN_SIZE, b"\0")


def decode_dhcp(data: bytes) -> DhcpMessage:
    """Read a message; raises MalformedMessage. One that came through a relay is refused."""
    if not HEAD_SIZE + len(COOKIE) <= len(data) <= MAX_DHCP or data[HEAD_SIZE : HEAD_SIZE + 4] != COOKIE:
        raise MalformedMessage("a DHCP message has an impossible size or no cookie")
    if data[0] not in {1, 2} or data[1:3] != bytes((ETHERNET, MAC_SIZE)) or any(data[24:28]):
        raise MalformedMessage("a DHCP message is not from a neighbour on this network")
    options = _options(data[HEAD_SIZE + len(COOKIE) :])
    kind = options.pop(DhcpOption.KIND, b"")
    if len(kind) != 1 or not 1 <= kind[0] <= max(DhcpKind):
        raise MalformedMessage("a DHCP message does not say what it is")
    return DhcpMessage(
        kind=DhcpKind(kind[0]),
        transaction=int.from_bytes(data[4:8]),
        hardware=data[28 : 28 + MAC_SIZE],
        is_reply=data[0] == 2,  # noqa: PLR2004 - BOOTREPLY
        wants_broadcast=bool(data[10] & 0x80),
        client=IPv4Address(data[12:16]),
        your=IPv4Address(data[16:20]),
        options=options,
    )


def _options(data: bytes) -> dict[int, bytes]:
    """Read options up to the end mark; parts of one option are one (RFC 3396)."""
    options: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != END:
        if data[at] == PAD:
            at += 1
            continue
        size = data[at + 1] if at + 1 < len(data) else MAX_OPTION
        value = data[at + 2 : at + 2 + size]
        if len(value) != size:
            raise MalformedMessage("a DHCP option ends too early")
        options[data[at]] = options.get(data[at], b"") + value
        at += 2 + size
    return options
