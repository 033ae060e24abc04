"""A real set-up server on a loopback port, in a thread of its own, so that blocking clients can drive it."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from doorstep.device.setup.httpserver import HttpServer
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.softap import SoftApServer
from doorstep.device.wifi.station import WifiStation
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from doorstep.wire.provisioning.delivery import DeviceStage
from tests.onboarding.helpers import PROFILE

HOME = SimulatedNetwork(b"home", b"correct horse")
NEIGHBOURS: Sequence[SimulatedNetwork] = (
    HOME,
    SimulatedNetwork("Café ☕".encode(), b"x" * 63, rssi=-70),
    SimulatedNetwork(b"attic", b"hidden away", hidden=True, rssi=-80),
    SimulatedNetwork(b"guests", rssi=-60),
    SimulatedNetwork(b"full", addresses=False, rssi=-85),
)


@dataclass
class Served:
    """What a test sees of the device."""

    joiner: Joiner
    loop: asyncio.AbstractEventLoop
    port: int
    outcomes: list[Onboarded] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def report(self, stage: DeviceStage) -> None:
        self.loop.call_soon_threadsafe(self.joiner.joining.report, stage)


@contextmanager
def serving(
    station: WifiStation | None = None, *, stage: DeviceStage | None = None, profile: DeviceProfile = PROFILE
) -> Iterator[Served]:
    """Serve until left; once connected, the device reports ``stage``."""
    joiner = Joiner(station or SimulatedWifi(NEIGHBOURS))
    with in_a_thread(joiner, SoftApServer(profile, joiner, host="127.0.0.1", port=0), stage) as served:
        yield served


@contextmanager
def in_a_thread(joiner: Joiner, server: HttpServer, stage: DeviceStage | None = None) -> Iterator[Served]:
    """Keep a board's server open in a loop of its own until left."""
    started, stop = threading.Event(), asyncio.Event()
    held: list[Served] = []

    async def run() -> None:
        async with server:
            served = Served(joiner, asyncio.get_running_loop(), server.port)
            held.append(served)
            watching = asyncio.create_task(_collect(served, stage))
            started.set()
            await stop.wait()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await joiner.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(10)
    try:
        yield held[0]
    finally:
        held[0].loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()


async def _collect(served: Served, stage: DeviceStage | None) -> None:
    while True:
        served.outcomes.append(await served.joiner.wait_connected())
        if stage is not None:
            served.joiner.joining.report(stage)
