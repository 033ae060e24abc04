"""The board's page on a loopback port, in a thread of its own, for browsers and raw sockets."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi.station import WifiStation
from doorstep.onboarding.captive.exchange import Air, PageFacts
from doorstep.onboarding.guesses import GuessBook
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.device.serving import NEIGHBOURS, Served, in_a_thread
from tests.onboarding.helpers import PROFILE

__all__ = ["NAME", "STREET", "serving_page"]

NAME = "PROV_1"
STREET = (
    *NEIGHBOURS,
    SimulatedNetwork(b"home", b"correct horse", rssi=-75),
    SimulatedNetwork(b"\xff\x00raw", b"octets only", rssi=-65),
    SimulatedNetwork(b"<b>\"&'", b"quoted name", rssi=-66),
)


@contextmanager
def serving_page(  # noqa: PLR0913 - what a test varies
    air: Air = Air.KEY,
    *,
    station: WifiStation | None = None,
    facts: PageFacts | None = None,
    profile: DeviceProfile = PROFILE,
    tls: ssl.SSLContext | None = None,
    guesses: GuessBook | None = None,
) -> Iterator[Served]:
    """Serve until left."""
    joiner = Joiner(station or SimulatedWifi(STREET), guesses)
    facts = facts or PageFacts(NAME, air, "https://portal.example:8443")
    server = CaptiveServer(profile, joiner, facts, host="127.0.0.1", port=0, tls=tls)
    with in_a_thread(joiner, server) as served:
        yield served
