"""The board's Easy Connect door over TCP: any configurator that has read the label may bring a network.

For boards whose configurator reaches them before they are on the Wi-Fi: over a cable, or over the board's own
access point. Over the air the Wi-Fi driver takes part, see `doorstep.device.setup.dpp_air`.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import DoorstepError
from doorstep.onboarding.dpp.enrollee import Enrollee
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.runtime.tcp import TcpServer
from doorstep.wire.dpp import TCP_PORT, FrameReader, encode_frame

__all__ = ["DppDoor"]

EXCHANGE_TIMEOUT: Final = 10.0
CHUNK: Final = 4096

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Given:
    """What one exchange brought; the network is tried, and kept only once it worked."""

    network: NetworkCredentials
    order: RegistrationOrder | None


class DppDoor(TcpServer):
    """Listens while entered; one exchange at a time, whose network goes to the joiner."""

    def __init__(  # noqa: PLR0913 - who the board is, and where it listens
        self,
        key: PrivateKey,
        name: str,
        joiner: Joiner,
        *,
        host: str = "0.0.0.0",  # noqa: S104 - the configurator is another machine
        port: int = TCP_PORT,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``key`` is the label's; ``port`` 0 takes a free one."""
        super().__init__("Easy Connect", host, port)
        self._key = key
        self._name = name
        self._joiner = joiner
        self._rng = rng
        self._turn = asyncio.Lock()

    def admits(self) -> bool:
        """See TcpServer: one exchange at a time."""
        return not self._turn.locked()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer; an attempt to join that an exchange brought goes on after the door is shut."""
        try:
            async with self._turn, asyncio.timeout(EXCHANGE_TIMEOUT):
                given = await self._exchange(reader, writer)
            writer.close()
            if given is not None:
                log.info("Easy Connect brought a network; joining")
                await asyncio.shield(self._joiner.join(given.network, given.order))
        except DoorstepError as error:
            log.info("an Easy Connect exchange was refused: %s", error)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Given | None:
        """Return what was brought, None where the configurator hung up before."""
        core, frames = Enrollee(self._key, self._name, self._rng), FrameReader()
        while octets := await reader.read(CHUNK):
            for message in frames.feed(octets):
                answer = core.receive(message)
                for frame in answer.frames:
                    writer.write(encode_frame(frame))
                await writer.drain()
                if answer.failure is not None:
                    raise answer.failure
                if answer.network is not None:
                    return _Given(answer.network, answer.order)
        return None
