"""What the device tells the sender once it is on the network: a length, its MAC and address, 11 octets."""

from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.onboarding.network import NetworkCredentials

__all__ = ["ACK_SIZE", "Ack", "expected_token"]

ACK_SIZE: Final = 11
MAC_SIZE: Final = 6
EXTRA: Final = 9


@dataclass(frozen=True, slots=True)
class Ack:
    """``token`` is nine more than the lengths of SSID and password, all that tells senders apart."""

    token: int
    mac: bytes
    address: bytes

    def octets(self) -> bytes:
        """Return the datagram's payload."""
        return bytes((self.token,)) + self.mac + self.address

    @classmethod
    def decode(cls, octets: bytes) -> "Ack":
        """Read a payload; raises `MalformedMessage`. Nothing proves that it is from the device."""
        if len(octets) != ACK_SIZE:
            raise MalformedMessage(f"an acknowledgement has {ACK_SIZE} bytes, this has {len(octets)}")
        return cls(octets[0], octets[1 : 1 + MAC_SIZE], octets[1 + MAC_SIZE :])


def expected_token(network: NetworkCredentials) -> int:
    """Return the length that a device says which took this network."""
    return (len(network.ssid) + len(network.passphrase) + EXTRA) & 0xFF
