"""The network that a device is to join, and how the attempt ended."""

import enum
import re
from dataclasses import dataclass, field

from doorstep.errors import SettingsError
from doorstep.wire.provisioning.scan import BSSID_SIZE, MAX_SSID, AuthMode

__all__ = ["JoinFailure", "JoinOutcome", "Joined", "NetworkCredentials"]

MIN_PASSPHRASE = 8
MAX_PASSPHRASE = 63
MAX_CHANNEL = 233
HEX_KEY = re.compile(rb"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class NetworkCredentials:
    """Name and key of a network, octets both; raises `SettingsError` on what no network can have.

    ``passphrase`` is empty (open), 8 to 63 octets, or 64 hexadecimal digits. ``bssid`` and
    ``channel`` are hints and may be absent.
    """

    ssid: bytes
    passphrase: bytes = field(default=b"", repr=False)
    bssid: bytes = b""
    channel: int = 0

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
