"""The Improv door on a serial line: any pair of streams, which the device's log may share."""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.improv import Identify, ImprovRunner
from doorstep.device.setup.joiner import Joiner
from doorstep.onboarding.improv.device import ImprovProfile, Line, Update
from doorstep.onboarding.improv.rpc import MAX_BODY, ErrorCode, ImprovState
from doorstep.onboarding.improv.serial import Broken, Packet, PacketKind, PacketReader

__all__ = ["ImprovSerialDoor"]

CHUNK: Final = 4096


class ImprovSerialDoor(ImprovRunner):
    """Open while entered, until the line ends; `press` is the device's button, where its product has one."""

    def __init__(  # noqa: PLR0913 - both ways of the line
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        joiner: Joiner,
        profile: ImprovProfile,
        identify: Identify,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` tells seconds that never go back."""
        super().__init__(profile, joiner, Line.SERIAL, identify, clock)
        self._reader, self._writer = reader, writer

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        self.start()
        self._later(self._serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; the attempt to join goes on, the line stays as it was."""
        await self.stop()

    async def _serve(self) -> None:
        packets = PacketReader()
        while octets := await self._reader.read(CHUNK):
            for packet in packets.feed(octets):
                if isinstance(packet, Broken):
                    await self.answer(self.core.broken)
                elif packet.kind is PacketKind.COMMAND:
                    await self.take(packet.data)

    async def _send(self, updates: Sequence[Update]) -> None:
        self._writer.write(b"".join(_packet(update).octets() for update in updates))
        await self._writer.drain()

    def _room(self) -> int:
        return MAX_BODY


def _packet(update: Update) -> Packet:
    match update:
        case ImprovState():
            return Packet(PacketKind.STATE, bytes((update,)))
        case ErrorCode():
            return Packet(PacketKind.ERROR, bytes((update,)))
        case _:
            return Packet(PacketKind.RESULT, update.octets())
