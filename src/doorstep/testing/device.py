"""A simulated device: the real agent, on a simulated radio and with a simulated sensor."""

import asyncio
import math
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorstep.device.agent import Agent, AgentOptions
from doorstep.device.control import Controls
from doorstep.device.handlers import Handlers
from doorstep.device.life import State
from doorstep.device.notices import Notice
from doorstep.device.sampling import Sensor
from doorstep.device.setup.service import SetupAddress
from doorstep.device.store import Store
from doorstep.device.wifi.station import WifiStation
from doorstep.errors import UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.wire.senml import Reading

__all__ = ["SimulatedDevice", "simulated_sensor"]

_NOTICES_KEPT: Final = 200
_DAY_S: Final = 86_400


def simulated_sensor(
    *, rng: Callable[[int], bytes] = os.urandom, clock: Callable[[], float] = time.time
) -> Sensor:
    """Return a sensor in a room: warm in the afternoon, humid at night, a little noise."""

    def noise() -> float:
        return int.from_bytes(rng(2), "big") / 0xFFFF - 0.5

    async def measure() -> Sequence[Reading]:
        day = math.sin(2 * math.pi * (clock() % _DAY_S) / _DAY_S - math.pi / 2)
        return (
            Reading("temperature", "Cel", round(20.5 + 3 * day + 0.4 * noise(), 2), None),
            Reading("humidity", "%RH", round(55 - 8 * day + 1.5 * noise(), 1), None),
        )

    return measure


class SimulatedDevice:
    """Runs one agent in the loop it is entered in; many share a loop and a process.

    ``notices`` holds the last things it told. Leaving stops it cleanly.
    """

    def __init__(  # noqa: PLR0913 - what a bench would choose
        self,
        made: Provisioning,
        folder: Path,
        station: WifiStation,
        *,
        sensor: Sensor | None = None,
        plain: bool = False,
        interval_s: float = 1.0,
        controls: Controls | None = None,
        handlers: Handlers | None = None,
        notify: Callable[[Notice], None] = lambda _notice: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.made = made
        self.folder = folder
        self.notices: deque[Notice] = deque(maxlen=_NOTICES_KEPT)
        self._station = station
        self._sensor = sensor or simulated_sensor()
        self._options = AgentOptions(SetupAddress("127.0.0.1", 0), plain=plain, interval_s=interval_s)
        self._controls = controls
        self._handlers = handlers
        self._notify = notify
        self._clock = clock
        self._store: Store | None = None
        self._agent: Agent | None = None
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Switch the device on."""
        await self.switch_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch the device off."""
        await self.switch_off()

    @property
    def state(self) -> State:
        """Where its life stands."""
        return State.STOPPED if self._agent is None else self._agent.state

    async def switch_on(self) -> None:
        """Boot: a new epoch begins."""
        store = Store.open(self.folder)
        try:
            store.adopt(self.made)
            agent = Agent(
                store,
                self._station,
                self._sensor,
                options=self._options,
                controls=self._controls,
                handlers=self._handlers,
                notify=self._told,
                clock=self._clock,
            )
        except BaseException:
            store.close()
            raise
        self._store, self._agent = store, agent
        self._running = asyncio.create_task(agent.run())

    async def switch_off(self) -> None:
        """Stop cleanly; raises what the agent failed with, if it did."""
        running, self._running = self._running, None
        if self._agent is None or self._store is None or running is None:
            return
        self._agent.stop()
        try:
            await running
        finally:
            self._store.close()

    async def reset_network(self) -> None:
        """Hold the button: forget the Wi-Fi and wait for a new set-up. Identity and owner stay."""
        await self.switch_off()
        store = Store.open(self.folder)
        store.reset()
        store.close()
        await self.switch_on()

    async def setup_port(self, timeout_s: float = 10.0) -> int:
        """Wait for the set-up service and return its port on 127.0.0.1."""
        await self._wait_until(
            lambda: self._agent is not None and self._agent.setup_port is not None, timeout_s
        )
        port = None if self._agent is None else self._agent.setup_port
        if port is None:
            raise UnavailableError(f"device {self.made.device_id} closed its set-up service")
        return port

    async def reached(self, *states: State, timeout_s: float = 30.0) -> State:
        """Wait until the device is in one of ``states``; raises UnavailableError after ``timeout_s``."""
        await self._wait_until(lambda: self.state in states, timeout_s)
        return self.state

    async def _wait_until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not condition():
            if self._running is not None and self._running.done():
                self._running.result()
            if asyncio.get_running_loop().time() > deadline:
                raise UnavailableError(
                    f"device {self.made.device_id} still {self.state.value} after {timeout_s:.0f} s"
                )
            await asyncio.sleep(0.02)

    def _told(self, notice: Notice) -> None:
        self.notices.append(notice)
        self._notify(notice)
