"""A station for proofs of doors: joins by wpa_supplicant's commands and busybox's DHCP client."""

import asyncio
from collections.abc import Sequence

from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart
from tests.radio.guest.lab import Host, LabError, until

__all__ = ["LabStation"]


class LabStation:
    """One host's radio."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Hear nothing; no door of these proofs scans."""
        del request
        return ()

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Join and ask for an address."""
        return await asyncio.to_thread(self._join, network)

    def _join(self, network: NetworkCredentials) -> JoinOutcome:
        number = self._host.wpa_cli("add_network").splitlines()[-1]
        self._host.wpa_cli(f"set_network {number} ssid {network.ssid.hex()}")
        psk = f"'\"{network.passphrase.decode()}\"'"
        self._host.wpa_cli(f"set_network {number} psk {psk}")
        self._host.wpa_cli(f"select_network {number}")
        try:
            until(lambda: self._host.status().get("wpa_state") == "COMPLETED", "connection", 20)
        except LabError:
            return JoinFailure.WRONG_PASSWORD
        return Joined(self._host.dhcp_client()["ip"])
