"""Sets a device up by BluFi over any `Peripheral`."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

from doorstep.errors import PeerError, ProtocolViolation
from doorstep.onboarding.blufi.configurator import (
    BlufiConfigurator,
    BlufiEvent,
    DeviceError,
    KeyAgreed,
    NetworksHeard,
    VersionTold,
)
from doorstep.onboarding.blufi.gatt import FROM_DEVICE, SERVICE, TO_DEVICE
from doorstep.onboarding.blufi.reports import EndReason, StationStatus, StatusReport
from doorstep.onboarding.failures import RequestRefused
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.central import Peripheral, RemoteCharacteristic
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.delivery import Deliver, Delivered
from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["BlufiProvisioner"]

T = TypeVar("T", bound=BlufiEvent)
REPLY_TIMEOUT: Final = 10.0
SCAN_TIMEOUT: Final = 40.0
JOIN_TIMEOUT: Final = 130.0
ROOM: Final = 128
"""Bytes of a frame: fits every MTU that a phone agrees to, and is a long write where it does not."""
STEPS: Final = {
    EndReason.WRONG_PASSWORD: Step.WRONG_PASSWORD,
    EndReason.NO_SUCH_NETWORK: Step.NO_SUCH_NETWORK,
}


class BlufiProvisioner:
    """One connection, secured against listeners once entered; who is at its other end, nobody knows."""

    def __init__(self, peripheral: Peripheral, rng: Callable[[int], bytes]) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self._peripheral = peripheral
        self._core = BlufiConfigurator(rng, ROOM)
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Agree on a key; raises PeerError where the device does not take part."""
        try:
            await self._peripheral.subscribe(self._find(FROM_DEVICE), self._heard.put_nowait)
            told = await self._ask(self._core.ask_version(), VersionTold)
            agreed = await self._ask(self._core.negotiate(told.version), KeyAgreed)
            await self._send(agreed.frames)
        except BaseException:
            await self._peripheral.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._peripheral.close()

    async def networks(self) -> Sequence[ScanEntry]:
        """Return what the device hears."""
        return (await self._ask(self._core.ask_networks(), NetworksHeard, SCAN_TIMEOUT)).networks

    async def deliver(self, order: RegistrationOrder) -> str:
        """Hand the order over; return the device's id. Raises `RequestRefused`."""
        message = Deliver(order.token, order.server, order.alias)
        delivered = await self._ask(self._core.deliver(message), Delivered)
        if delivered.status is not Status.SUCCESS:
            raise RequestRefused("take the order", delivered.status)
        return delivered.device_id

    async def join(self, network: NetworkCredentials) -> Step:
        """Have the device join; return how that ended, `CHECKING` where it fell silent."""
        try:
            report = await self._ask(self._core.join(network), StatusReport, JOIN_TIMEOUT)
            while report.status is StationStatus.CONNECTING:
                report = await self._next(StatusReport, JOIN_TIMEOUT)
        except DeviceUnreachable:
            return Step.CHECKING
        return _step_of(report)

    async def _ask(self, frames: Sequence[bytes], kind: type[T], seconds: float = REPLY_TIMEOUT) -> T:
        await self._send(frames)
        return await self._next(kind, seconds)

    async def _send(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            await self._peripheral.write(self._find(TO_DEVICE), frame)

    async def _next(self, kind: type[T], seconds: float) -> T:
        """Return the next event of a kind; raises `RequestRefused`, after a while `DeviceUnreachable`."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    event = self._core.receive(await self._heard.get())
                    if isinstance(event, kind):
                        return event
                    if isinstance(event, DeviceError):
                        raise RequestRefused("go on", event.code)
        except TimeoutError:
            raise DeviceUnreachable(
                "The device does not answer.", next_step="Move nearer, and look whether it is online already."
            ) from None
        except PeerError:
            await self._peripheral.close()
            raise

    def _find(self, uuid: object) -> RemoteCharacteristic:
        for each in self._peripheral.characteristics:
            if (each.service, each.uuid) == (SERVICE, uuid):
                return each
        raise ProtocolViolation(
            "The device has no BluFi service.", next_step="Choose another way to set it up."
        )


def _step_of(report: StatusReport) -> Step:
    if report.status is StationStatus.CONNECTED:
        return Step.CONNECTED
    if report.status is StationStatus.NO_ADDRESS:
        return Step.NO_ADDRESS
    return next((step for reason, step in STEPS.items() if reason == report.reason), Step.RADIO_FAILED)
