"""A board that serves protocomm on a virtual radio, and a phone beside it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.joiner import Beside, Joiner
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.wifi.station import WifiStation
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.testing.bumble import MAX_MTU, Air, BumbleBoard, BumbleCentral
from doorstep.testing.wifi import SimulatedWifi
from doorstep.wire.provisioning.delivery import DeviceStage
from tests.device.serving import NEIGHBOURS
from tests.onboarding.helpers import PROFILE

NAME = BleName("PROV_1")
BARE = BoardPairing()
NOTHING: Mapping[str, Beside] = {}


@dataclass
class Room:
    """A board and a phone within reach of each other."""

    air: Air
    board: BumbleBoard
    phone: BumbleCentral
    joiner: Joiner
    outcomes: list[Onboarded] = field(default_factory=list)


@asynccontextmanager
async def room(  # noqa: PLR0913 - what tests vary
    *,
    profile: DeviceProfile = PROFILE,
    station: WifiStation | None = None,
    stage: DeviceStage | None = DeviceStage.REGISTERED,
    name: BleName = NAME,
    mtu: int = MAX_MTU,
    pairing: BoardPairing = BARE,
    beside: Mapping[str, Beside] = NOTHING,
) -> AsyncIterator[Room]:
    """Open the board's door; once connected, the device reports ``stage``."""
    joiner, air = Joiner(station or SimulatedWifi(NEIGHBOURS)), Air()
    joiner.beside = beside
    async with (
        BumbleBoard(air, mtu=mtu, pairing=pairing) as board,
        BumbleCentral(air) as phone,
        BleDoor(profile, joiner, board, name, security=pairing.security, before=pairing.before),
    ):
        shared = Room(air, board, phone, joiner)
        watching = asyncio.create_task(_collect(shared, stage))
        yield shared
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await joiner.close()


async def _collect(shared: Room, stage: DeviceStage | None) -> None:
    while True:
        shared.outcomes.append(await shared.joiner.wait_connected())
        if stage is not None:
            shared.joiner.joining.report(stage)
