"""What a BluFi device tells: its version, how the network is, and what it hears."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.onboarding.joining import Joining, JoinState
from doorstep.onboarding.network import Joined, JoinFailure
from doorstep.wire.provisioning.scan import BSSID_SIZE, MAX_SSID, ScanEntry

__all__ = ["VERSION", "EndReason", "StationStatus", "StatusReport", "parse_networks", "put_networks"]

VERSION: Final = (1, 4)
STATION_MODE: Final = 0x01
MAX_NETWORKS: Final = 30
HEAD: Final = 3
TLV_BSSID, TLV_SSID, TLV_REASON = 0x01, 0x02, 0x15


class StationStatus(enum.IntEnum):
    """The second byte of a status report."""

    CONNECTED = 0
    DISCONNECTED = 1
    CONNECTING = 2
    NO_ADDRESS = 3


class EndReason(enum.IntEnum):
    """Why there is no connection, as ESP-IDF numbers it."""

    WRONG_PASSWORD = 15
    NO_SUCH_NETWORK = 201
    FAILED = 205


REASONS: Final = {
    JoinFailure.WRONG_PASSWORD: EndReason.WRONG_PASSWORD,
    JoinFailure.NO_SUCH_NETWORK: EndReason.NO_SUCH_NETWORK,
    JoinFailure.RADIO_FAILED: EndReason.FAILED,
}


@dataclass(frozen=True, slots=True)
class StatusReport:
    """How the network is; ``reason`` is 0 where none was told."""

    status: StationStatus
    ssid: bytes = b""
    bssid: bytes = b""
    reason: int = 0

    @classmethod
    def of(cls, joining: Joining) -> "StatusReport":
        """Return the report of a device's attempt; the password never goes back."""
        ssid = b"" if joining.network is None else joining.network.ssid
        outcome = joining.outcome
        if joining.state is JoinState.TRYING:
            return cls(StationStatus.CONNECTING, ssid)
        if isinstance(outcome, Joined):
            return cls(StationStatus.CONNECTED, ssid, outcome.bssid)
        if outcome is JoinFailure.NO_ADDRESS:
            return cls(StationStatus.NO_ADDRESS, ssid)
        reason = 0 if outcome is None else REASONS[outcome]
        return cls(StationStatus.DISCONNECTED, ssid, reason=reason)

    def octets(self) -> bytes:
        """Return the message's content."""
        reason = bytes((self.reason,)) if self.reason else b""
        fields = ((TLV_BSSID, self.bssid), (TLV_SSID, self.ssid), (TLV_REASON, reason))
        tail = b"".join(bytes((kind, len(value))) + value for kind, value in fields if value)
        return bytes((STATION_MODE, self.status, 0)) + tail

    @classmethod
    def decode(cls, octets: bytes) -> "StatusReport":
        """Read a report; fields that we do not know are passed over. Raises `MalformedMessage`."""
        if len(octets) < HEAD or octets[1] not in set(StationStatus):
            raise MalformedMessage("a status report is cut, or of an unknown status")
        fields, rest = {}, octets[HEAD:]
        while rest:
            size = rest[1] if len(rest) > 1 else len(rest)
            if len(rest) < 2 + size:
                raise MalformedMessage("a field of a status report is cut")
            fields[rest[0]], rest = rest[2 : 2 + size], rest[2 + size :]
        ssid, bssid, reason = (fields.get(kind, b"") for kind in (TLV_SSID, TLV_BSSID, TLV_REASON))
        if len(ssid) > MAX_SSID or len(bssid) not in (0, BSSID_SIZE) or len(reason) > 1:
            raise MalformedMessage("a field of a status report has an impossible length")
        return cls(StationStatus(octets[1]), ssid, bssid, int.from_bytes(reason))


def put_networks(networks: Sequence[ScanEntry]) -> bytes:
    """Write what is heard, the strongest first, as many as a list may have."""
    strongest = sorted(networks, key=lambda entry: entry.rssi, reverse=True)[:MAX_NETWORKS]
    return b"".join(
        bytes((1 + len(entry.ssid), max(entry.rssi, -128) & 0xFF)) + entry.ssid for entry in strongest
    )


def parse_networks(octets: bytes) -> tuple[ScanEntry, ...]:
    """Read what a device hears; raises `MalformedMessage`."""
    entries = []
    while octets:
        size, rest = octets[0], octets[1:]
        if not 1 <= size <= 1 + MAX_SSID or len(rest) < size:
            raise MalformedMessage("an entry of a network list is cut or too long")
        rssi = rest[0] - 256 if rest[0] > 127 else rest[0]  # noqa: PLR2004 - two's complement
        entries.append(ScanEntry(rest[1:size], rssi=rssi))
        octets = rest[size:]
    return tuple(entries)
