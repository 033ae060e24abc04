"""The ESP-Touch door: listens in monitor mode for an announced network, joins it, and tells the sender."""

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi.monitor import MonitorRadio
from doorstep.errors import DoorstepError, RefusedError, UnavailableError
from doorstep.onboarding.esptouch.ack import Ack, expected_token
from doorstep.onboarding.esptouch.announcement import Announcement
from doorstep.onboarding.esptouch.listening import CHANNELS, Listener
from doorstep.onboarding.network import Joined
from doorstep.onboarding.order import RegistrationOrder
from doorstep.wire.provisioning.delivery import MAX_TOKEN
from doorstep.wire.provisioning.scan import ScanStart

__all__ = ["EspTouchDoor", "acknowledge"]

EARSHOT: Final = 0.05
"""Seconds to wait for a frame before the listener is asked for the channel again."""
ACK_TIMES: Final = 10
ACK_PACE: Final = 0.1
EVERYBODY: Final = "255.255.255.255"
RETRY_S: Final = 5.0

log = logging.getLogger(__name__)


class EspTouchDoor:
    """Open while entered, until a network was joined; anybody in reach reads what it reads."""

    def __init__(  # noqa: PLR0913 — what a product says about itself
        self,
        radio: MonitorRadio,
        joiner: Joiner,
        *,
        mac: bytes,
        server: str,
        key: bytes = b"",
        channels: Sequence[int] = CHANNELS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``server`` is where a token that came along is shown; ``key`` the product's for version 2."""
        self._radio, self._joiner = radio, joiner
        self._mac, self._server, self._key, self._channels = mac, server, key, channels
        self._clock = clock
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen; raises `UnavailableError` where the radio cannot."""
        names = await self._names()
        await self._radio.__aenter__()
        self._work = asyncio.get_running_loop().create_task(self._serve(names))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; the attempt to join goes on."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _serve(self, names: Sequence[bytes]) -> None:
        """Hear, join, tell; and once more where that network did not work. The radio is open at the start."""
        while not await self._attempt(names):
            await self._reopen()

    async def _attempt(self, names: Sequence[bytes]) -> bool:
        try:
            try:
                announcement = await self._hear(names)
            finally:
                await self._radio.__aexit__(None, None, None)
            return await self._join(announcement)
        except DoorstepError as error:
            log.warning("an announced network was not tried: %s", error.message)
            await asyncio.sleep(RETRY_S)
            return False

    async def _reopen(self) -> None:
        while True:
            try:
                await self._radio.__aenter__()
            except UnavailableError as error:
                log.warning("the radio cannot listen again yet: %s", error.message)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _names(self) -> list[bytes]:
        heard = await self._joiner.scan(ScanStart())
        return [entry.ssid for entry in heard or ()]

    async def _hear(self, names: Sequence[bytes]) -> Announcement:
        listener, channel = self._listener(names), 0
        while True:
            if (wanted := listener.channel(self._clock())) != channel:
                channel = wanted
                await self._radio.tune(channel)
                listener.tuned(self._clock())
            frame = await self._radio.hear(EARSHOT)
            if frame is None:
                continue
            try:
                if (whole := listener.hear(frame, self._clock())) is not None:
                    return whole
            except RefusedError as refusal:
                log.warning("%s %s", refusal.message, refusal.next_step)
                listener = self._listener(names)

    def _listener(self, names: Sequence[bytes]) -> Listener:
        return Listener(self._clock(), channels=self._channels, networks=names, key=self._key)

    async def _join(self, announcement: Announcement) -> bool:
        outcome = await self._joiner.join(announcement.network, self._order(announcement.reserved))
        if not isinstance(outcome, Joined):
            return False
        address = ipaddress.IPv4Address(outcome.ip4_addr).packed
        ack = Ack(expected_token(announcement.network), self._mac, address)
        await acknowledge(ack, announcement.phone or EVERYBODY, announcement.port)
        return True

    def _order(self, token: bytes) -> RegistrationOrder | None:
        usable = 0 < len(token) <= MAX_TOKEN and token.isascii() and token.decode("ascii").isprintable()
        return RegistrationOrder(token, self._server) if usable else None


async def acknowledge(ack: Ack, phone: str, port: int) -> None:
    """Tell the sender a few times: datagrams get lost, and nobody answers these."""
    sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sending.setblocking(False)
        for _ in range(ACK_TIMES):
            try:
                sending.sendto(ack.octets(), (phone, port))
            except OSError as error:
                log.debug("an acknowledgement was not sent: %s", error)
            await asyncio.sleep(ACK_PACE)
    finally:
        sending.close()
