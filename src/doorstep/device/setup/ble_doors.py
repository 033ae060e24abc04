"""The Bluetooth doors of a product, beside each other on one radio: protocomm, BluFi, Improv."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.blufi import BlufiDoor
from doorstep.device.setup.door import Door
from doorstep.device.setup.gatt import GattHost
from doorstep.device.setup.improv import Identify
from doorstep.device.setup.improv_ble import ImprovBleDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.setup.secret import setup_secret
from doorstep.errors import MisuseError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.blufi.device import BlufiProfile
from doorstep.onboarding.improv.device import ImprovProfile
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["METHODS", "BluetoothDoors"]

PROTOCOMM: Final = "protocomm-sec2-ble"
BLUFI: Final = "blufi"
IMPROV: Final = "improv-ble"
METHODS: Final = frozenset({PROTOCOMM, BLUFI, IMPROV})


class BluetoothDoors:
    """One per board; it outlives the doors, which are made anew for each opening."""

    def __init__(self, made: Provisioning, pairing: BoardPairing, identify: Identify, version: str) -> None:
        """``identify`` shows a person which board it is; raises `MisuseError` for a product without any."""
        if not METHODS.intersection(made.onboarding):
            raise MisuseError(
                f"product {made.product} has no set-up over Bluetooth",
                next_step=f"Leave --ble out, or turn {PROTOCOMM} on for the product and make its file anew.",
            )
        self.pairing = pairing
        self._made = made
        self._identify = identify
        self._version = version
        self._improv: ImprovBleDoor | None = None
        self._presses: set[asyncio.Task[None]] = set()

    def on(self, host: GattHost, joiner: Joiner) -> Door:
        """Return one door that opens all of them."""
        return _Together(tuple(self._doors(host, joiner)), self._shut)

    def press(self) -> None:
        """Be the board's button: Improv takes a network for a minute from now on."""
        if self._improv is not None:
            task = asyncio.get_running_loop().create_task(self._improv.press())
            self._presses.add(task)
            task.add_done_callback(self._presses.discard)

    def _shut(self) -> None:
        self._improv = None

    def _doors(self, host: GattHost, joiner: Joiner) -> list[Door]:
        made, doors = self._made, list[Door]()
        if PROTOCOMM in made.onboarding:
            profile, name = (
                DeviceProfile(made.device_id, setup_secret(made)),
                BleName(made.setup.service_name),
            )
            security, before = self.pairing.security, self.pairing.before
            doors.append(BleDoor(profile, joiner, host, name, security=security, before=before))
        if BLUFI in made.onboarding:
            doors.append(
                BlufiDoor(host, joiner, BlufiProfile(made.device_id), name=f"BLUFI_{made.device_id}")
            )
        if IMPROV in made.onboarding:
            said = ImprovProfile("doorstep", self._version, "Linux", made.serial[:32], page="")
            self._improv = ImprovBleDoor(host, joiner, said, self._identify)
            doors.append(self._improv)
        return doors


class _Together:
    """Several doors as one."""

    def __init__(self, doors: tuple[Door, ...], shut: Callable[[], None]) -> None:
        self._doors = doors
        self._shut = shut
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open all, or none."""
        async with AsyncExitStack() as opening:
            for door in self._doors:
                await opening.enter_async_context(door)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Shut all."""
        self._shut()
        await self._open.aclose()
