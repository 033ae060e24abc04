"""Simulated Wi-Fi networks, honest about wrong passwords, missing networks and dead routers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry, ScanStart

__all__ = ["SimulatedNetwork", "SimulatedWifi"]


@dataclass(frozen=True, slots=True)
class SimulatedNetwork:
    """One network; an empty passphrase is an open one, ``addresses=False`` is a router that gives none."""

    ssid: bytes
    passphrase: bytes = field(default=b"", repr=False)
    auth: AuthMode = AuthMode.WPA2
    channel: int = 6
    rssi: int = -50
    bssid: bytes = b"\x02\x00\x00\x00\x00\x01"
    hidden: bool = False
    addresses: bool = True

    def as_heard(self) -> ScanEntry:
        """Return what a scan hears of it: a hidden network has no name."""
        ssid = b"" if self.hidden else self.ssid
        auth = self.auth if self.passphrase else AuthMode.OPEN
        return ScanEntry(ssid, self.channel, self.rssi, self.bssid, auth)


class SimulatedWifi:
    """A `WifiStation` among given networks; ``joined`` is its own.

    Each act takes ``delay`` seconds, a scan ``scan_delay`` where that is given.
    """

    def __init__(
        self, networks: Sequence[SimulatedNetwork], *, delay: float = 0.0, scan_delay: float | None = None
    ) -> None:
        self.networks = list(networks)
        self.joined: NetworkCredentials | None = None
        self._delay = delay
        self._scan_delay = delay if scan_delay is None else scan_delay

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Return what is heard; the pace of ``request`` has no radio to spare here."""
        del request
        await asyncio.sleep(self._scan_delay)
        return [network.as_heard() for network in self.networks]

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Join as a real station does: name, then key, then address."""
        await asyncio.sleep(self._delay)
        self.joined = None
        there = next((near for near in self.networks if near.ssid == network.ssid), None)
        if there is None:
            return JoinFailure.NO_SUCH_NETWORK
        if there.passphrase != network.passphrase:
            return JoinFailure.WRONG_PASSWORD
        if not there.addresses:
            return JoinFailure.NO_ADDRESS
        self.joined = network
        return Joined("10.0.0.2", there.as_heard().auth, there.bssid, there.channel)
