"""Simulated boards that wait for their set-up on loopback, in this loop or in a process of their own."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.softap import SoftApServer
from doorstep.device.wifi.station import WifiStation
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.protocomm.credentials import generate
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.wire.provisioning.delivery import DeviceStage

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Board", "BoardProcess", "boards", "boards_in_a_process"]

_HOST: Final = "127.0.0.1"
_START_S: Final = 30.0


@dataclass(slots=True)
class Board:
    """One board: its label, where it listens, and what it was brought."""

    label: SetupLabel
    port: int
    joiner: Joiner
    onboarded: list[Onboarded] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{_HOST}:{self.port}"


@asynccontextmanager
async def boards(
    stations: Sequence[WifiStation], *, stage: DeviceStage | None = None
) -> AsyncIterator[list[Board]]:
    """Serve one board for each station; once connected each reports ``stage``."""
    async with AsyncExitStack() as stack:
        made = [await _board(stack, number, station, stage) for number, station in enumerate(stations, 1)]
        yield made


async def _board(
    stack: AsyncExitStack, number: int, station: WifiStation, stage: DeviceStage | None
) -> Board:
    credentials, joiner = generate(os.urandom), Joiner(station)
    profile = DeviceProfile(f"board{number:03}", credentials.for_device())
    stack.push_async_callback(joiner.close)
    server = await stack.enter_async_context(SoftApServer(profile, joiner, host=_HOST, port=0))
    label = SetupLabel(f"PROV_{profile.device_id}", credentials.username, credentials.pop)
    board = Board(label, server.port, joiner)
    task = asyncio.create_task(_collect(board, stage))

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
    return board


async def _collect(board: Board, stage: DeviceStage | None) -> None:
    while True:
        board.onboarded.append(await board.joiner.wait_connected())
        if stage is not None:
            board.joiner.joining.report(stage)


@dataclass(frozen=True, slots=True)
class BoardProcess:
    """Boards in a process of their own: labels and addresses."""

    labels: tuple[SetupLabel, ...]
    urls: tuple[str, ...]
    _pipe: "Connection[str, object]" = field(repr=False)

    def cpu_s(self) -> float:
        """Return the processor time that the boards have used so far."""
        self._pipe.send("cpu")
        used = self._pipe.recv()
        if not isinstance(used, float):
            raise TypeError("the boards' process said something else")
        return used


@contextmanager
def boards_in_a_process(stations: Sequence[WifiStation]) -> Iterator[BoardProcess]:
    """Serve boards beside this process, as real ones are; ``stations`` must pickle."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, stations), daemon=True)
    process.start()
    try:
        theirs.close()
        labels, urls = ours.recv()
        yield BoardProcess(labels, urls, ours)
        ours.send("stop")
        process.join(_START_S)
    finally:
        ours.close()
        process.kill()
        process.join()


def _serve(pipe: "Connection[object, str]", stations: Sequence[WifiStation]) -> None:
    asyncio.run(_answer(pipe, stations))


async def _answer(pipe: "Connection[object, str]", stations: Sequence[WifiStation]) -> None:
    async with boards(stations) as made:
        pipe.send((tuple(board.label for board in made), tuple(board.url for board in made)))
        while await asyncio.to_thread(pipe.recv) == "cpu":
            pipe.send(time.process_time())
