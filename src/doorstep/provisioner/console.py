"""The configurator's link over a console line, for benches: over any pair of streams."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from doorstep.onboarding.protocomm.console import (
    MAX_REPLY_LINE,
    ConsoleRequest,
    Lines,
    Refused,
    decode_reply,
    encode_request,
)
from doorstep.provisioner.link import DeviceUnreachable, Link, SessionLost, reply_timeout

__all__ = ["ConsoleLink"]

CHUNK: Final = 4096
MAX_LOG_LINES: Final = 256
"""Lines of the device's log that may come before a reply."""


class ConsoleLink(Link):
    """The configurator's end of a console line; what the device logs between its replies is skipped."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``rng`` chooses the session's number."""
        self._reader = reader
        self._writer = writer
        self._session = int.from_bytes(rng(4))

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _ask(self, endpoint: str, body: bytes) -> bytes:
        line = encode_request(ConsoleRequest(endpoint, self._session, body))
        await self._forget_late_replies()
        try:
            async with asyncio.timeout(reply_timeout(endpoint)):
                self._writer.write(line)
                await self._writer.drain()
                reply = await self._reply()
        except (OSError, TimeoutError) as error:
            raise _unreachable(type(error).__name__) from None
        if isinstance(reply, Refused):
            raise SessionLost(f"The device answered: {reply.sentence}", next_step="Run the set-up again.")
        return reply

    async def _reply(self) -> bytes | Refused:
        lines, seen = Lines(MAX_REPLY_LINE), 0
        while seen < MAX_LOG_LINES and (octets := await self._reader.read(CHUNK)):
            for line in lines.feed(octets):
                seen += 1
                reply = decode_reply(line)
                if reply is not None:
                    return reply
        raise _unreachable("only its log comes" if seen else "the line ended")

    async def _forget_late_replies(self) -> None:
        """Drop what came after an earlier request was given up: it answers nothing that is asked now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                while await self._reader.read(CHUNK):
                    pass


def _unreachable(why: str) -> DeviceUnreachable:
    return DeviceUnreachable(
        f"The device on the console line does not answer ({why}).",
        next_step="Check the cable, and that no other program has the line open.",
    )
