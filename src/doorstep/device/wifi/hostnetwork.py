"""A board whose network the operating system holds: Ethernet, or a Wi-Fi that somebody set up there."""

import asyncio
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart

__all__ = ["HostNetwork"]


class HostNetwork:
    """A `WifiStation` without a radio of its own: joined as soon as there is a way to the platform.

    Names and passwords that a set-up sends are not used, because the operating system has its own.
    """

    def __init__(self, platform_url: str) -> None:
        parts = urlsplit(platform_url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or 443

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Hear nothing: there is no radio."""
        del request
        return ()

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Return the address that this host would use on the way to the platform; nothing is sent."""
        del network
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._host, self._port, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect(found[0][4])
                return Joined(str(probe.getsockname()[0]))
        except OSError:
            return JoinFailure.NO_ADDRESS
