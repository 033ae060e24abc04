"""The port to a board's Wi-Fi: what an access point's server needs of it."""

from collections.abc import Sequence
from typing import Protocol

from doorstep.onboarding.network import JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart

__all__ = ["WifiStation"]


class WifiStation(Protocol):
    """A Wi-Fi radio in station mode, beside its own access point."""

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Return the networks heard, at the pace that ``request`` asks for."""
        ...

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Join and wait for an address; ends by itself, and stays on the network where it worked.

        Stores nothing: whoever asked does, once it worked.
        """
        ...
