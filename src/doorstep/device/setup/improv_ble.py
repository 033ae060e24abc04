"""The Improv door over Bluetooth LE, on any `GattHost`."""

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.gatt import Access, Characteristic, GattHost, GattService, GattServing
from doorstep.device.setup.improv import Identify, ImprovRunner
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import MalformedMessage
from doorstep.onboarding.ble.advertising import Advertisement
from doorstep.onboarding.improv import gatt
from doorstep.onboarding.improv.device import ImprovProfile, Line, Update
from doorstep.onboarding.improv.rpc import MAX_BODY, ErrorCode, ImprovState, checked, unchecked

__all__ = ["ImprovBleDoor"]

STATE: Final = Characteristic(gatt.STATE, Access.READ | Access.NOTIFY)
ERROR: Final = Characteristic(gatt.ERROR, Access.READ | Access.NOTIFY)
COMMAND: Final = Characteristic(gatt.COMMAND, Access.WRITE | Access.WRITE_WITHOUT_RESPONSE)
RESULT: Final = Characteristic(gatt.RESULT, Access.READ | Access.NOTIFY)
CAPABILITIES: Final = Characteristic(gatt.CAPABILITIES, Access.READ)
LAYOUT: Final = GattService(gatt.SERVICE, (STATE, ERROR, COMMAND, RESULT, CAPABILITIES))
OVERHEAD: Final = 3
"""Bytes of a result beside its strings: number, length, sum."""
LONGEST: Final = OVERHEAD + MAX_BODY


class ImprovBleDoor(ImprovRunner):
    """Open while entered; `press` is the device's button."""

    def __init__(
        self,
        host: GattHost,
        joiner: Joiner,
        profile: ImprovProfile,
        identify: Identify,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` tells seconds that never go back."""
        super().__init__(profile, joiner, Line.BLUETOOTH, identify, clock)
        self._host = host
        self._serving: GattServing | None = None
        self._stack = AsyncExitStack()
        self._connection = 0
        self._result = b""
        self._begun = b""

    async def __aenter__(self) -> Self:
        """Advertise; raises UnavailableError where there is no radio."""
        self._serving = await self._stack.enter_async_context(self._host.serve(LAYOUT, self, self._said()))
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up and be silent; the attempt to join goes on."""
        await self.stop()
        await self._stack.aclose()

    def connected(self, connection: int) -> None:
        """Talk to this one from now on."""
        self._connection, self._begun, self._result = connection, b"", b""

    def disconnected(self, connection: int) -> None:
        """Forget it, unless another came meanwhile."""
        if connection == self._connection:
            self._connection = 0

    async def read(self, connection: int, characteristic: Characteristic) -> bytes:
        """Return a value as it is now."""
        del connection
        match characteristic.uuid:
            case gatt.STATE:
                return bytes((self.core.told_state(),))
            case gatt.ERROR:
                return bytes((self.core.error,))
            case gatt.CAPABILITIES:
                return bytes((self.core.capabilities,))
            case _:
                return self._result

    async def write(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        """Take a command, or a part of one: old clients send twenty bytes at a time."""
        del connection, characteristic
        self._begun += value
        if len(self._begun) > 1 and len(self._begun) < min(OVERHEAD + self._begun[1], LONGEST):
            return
        octets, self._begun = self._begun, b""
        try:
            await self.take(unchecked(octets))
        except MalformedMessage:
            await self.answer(self.core.broken)

    async def _send(self, updates: Sequence[Update]) -> None:
        for update in updates:
            await self._notify(update)
        if self._serving is not None and any(isinstance(update, ImprovState) for update in updates):
            await self._serving.advertise(self._said())

    async def _notify(self, update: Update) -> None:
        match update:
            case ImprovState():
                where, value = STATE, bytes((update,))
            case ErrorCode():
                where, value = ERROR, bytes((update,))
            case _:
                where, value = RESULT, checked(update.octets())
                self._result = value
        if self._serving is not None and self._connection:
            await self._serving.notify(self._connection, where, value)

    def _room(self) -> int:
        if self._serving is None:
            return MAX_BODY
        return min(MAX_BODY, self._serving.payload_size(self._connection) - OVERHEAD)

    def _said(self) -> Advertisement:
        data = gatt.put_service_data(self.core.told_state(), self.core.capabilities)
        return Advertisement(services=(gatt.SERVICE,), service_data=((gatt.SERVICE_DATA, data),))
