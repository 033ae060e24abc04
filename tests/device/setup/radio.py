"""A board's radio in reach of one network, for tests of doors."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart

__all__ = ["HOME", "Radio"]

HOME = NetworkCredentials(b"home", b"correct horse")


@dataclass
class Radio:
    """A station in reach of `HOME`."""

    tried: list[NetworkCredentials] = field(default_factory=list)

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        del request
        return ()

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        self.tried.append(network)
        return Joined("192.0.2.7") if network == HOME else JoinFailure.WRONG_PASSWORD
