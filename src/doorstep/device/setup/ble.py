"""A board's set-up over Bluetooth Low Energy: the door that serves protocomm's GATT layout."""

import asyncio
import logging
import os
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import UUID

from doorstep.device.setup.gatt import (
    Access,
    Characteristic,
    GattError,
    GattHost,
    GattRefused,
    GattService,
    Security,
)
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.runner import DeviceRunner
from doorstep.errors import DoorstepError, PeerError, RefusedError
from doorstep.onboarding.ble.advertising import Advertisement, ManufacturerData
from doorstep.onboarding.ble.exchange import LONG, Exchanges
from doorstep.onboarding.ble.layout import DEFAULT_SERVICE, endpoint_uuids
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["BleDoor", "BleName"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BleName:
    """How the board is found on the air: the label's name, and the maker's own bytes beside it."""

    name: str
    service: UUID = DEFAULT_SERVICE
    manufacturer: ManufacturerData | None = None

    def advertisement(self) -> Advertisement:
        """Return what goes on the air."""
        return Advertisement((self.service,), self.name, self.manufacturer)


class BleDoor:
    """A `Door` over Bluetooth: one session a connection, over any `GattHost`."""

    def __init__(  # noqa: PLR0913 - who, how found, on what, how protected
        self,
        profile: DeviceProfile,
        joiner: Joiner,
        host: GattHost,
        name: BleName,
        *,
        security: Security = Security.OPEN,
        before: Collection[str] = (),
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``security`` is what the connection must have, but for the endpoints named in ``before``.

        ``rng`` returns that many unpredictable bytes.
        """
        self._runner = DeviceRunner(profile, joiner, rng)
        self._host = host
        self._name = name
        self._exchanges = Exchanges()
        self._turn = asyncio.Lock()
        self._stack = AsyncExitStack()
        uuids = endpoint_uuids((*self._runner.endpoints, LONG), name.service)
        access = Access.READ | Access.WRITE
        self._service = GattService(
            name.service,
            tuple(
                Characteristic(uuid, access, endpoint, Security.OPEN if endpoint in before else security)
                for endpoint, uuid in uuids.items()
            ),
        )

    async def __aenter__(self) -> Self:
        """Advertise; raises `UnavailableError` without a radio, `SettingsError` on too long a name."""
        serving = self._host.serve(self._service, self, self._name.advertisement())
        await self._stack.enter_async_context(serving)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Go off the air, hang up, and give up what is under way."""
        await self._stack.aclose()
        await self._runner.close()

    def connected(self, connection: int) -> None:
        """Begin a session."""
        self._runner.core.end_session()
        self._exchanges.begin(connection)

    def disconnected(self, connection: int) -> None:
        """End the session; the attempt to join goes on."""
        if self._exchanges.end(connection):
            self._runner.core.end_session()

    async def read(self, connection: int, characteristic: Characteristic) -> bytes:
        """Return the reply to the last write."""
        return self._exchanges.fetched(connection, characteristic.name)

    async def write(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        """Answer a request; the reply waits to be read."""
        async with self._turn:
            try:
                await self._answer(connection, characteristic.name, value)
            except (PeerError, RefusedError) as refusal:
                log.info("refused a request over Bluetooth: %s", refusal.message)
                raise GattRefused(GattError.INVALID_PDU) from None
            except DoorstepError as failure:
                log.warning("could not answer over Bluetooth: %s", failure.message)
                raise GattRefused(GattError.UNLIKELY) from None
            except Exception:
                self._runner.core.end_session()
                raise

    async def _answer(self, connection: int, endpoint: str, value: bytes) -> None:
        request = self._exchanges.asked(connection, endpoint, value)
        if request is not None:
            reply = await self._runner.ask(endpoint, request)
            self._exchanges.answered(connection, endpoint, reply)
