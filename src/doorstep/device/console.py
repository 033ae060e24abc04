"""Onboarding over a console line, for benches: both sides, over any pair of streams."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from doorstep.device.phone import DeviceUnreachable, Link, SessionLost, reply_timeout
from doorstep.device.runner import DeviceRunner
from doorstep.device.station import WifiStation
from doorstep.errors import DoorstepError, SettingsError
from doorstep.onboarding.console import (
    MAX_REPLY_LINE,
    MAX_REQUEST_LINE,
    ConsoleRequest,
    Lines,
    Refused,
    decode_reply,
    decode_request,
    encode_refusal,
    encode_reply,
    encode_request,
)
from doorstep.onboarding.credentials import Sec1Code
from doorstep.onboarding.device import DeviceProfile, Onboarded
from doorstep.wire.provisioning.delivery import DeviceStage

__all__ = ["ConsoleLink", "ConsoleServer"]

CHUNK: Final = 4096
MAX_LOG_LINES: Final = 256
"""Lines of the device's log that may come before a reply."""

log = logging.getLogger(__name__)


class ConsoleServer:
    """Serves one device's onboarding on a stream; security 1 alone fits into its lines."""

    def __init__(
        self, profile: DeviceProfile, station: WifiStation, *, rng: Callable[[int], bytes] = os.urandom
    ) -> None:
        """``rng`` returns that many unpredictable bytes."""
        if not isinstance(profile.secret, Sec1Code):
            raise SettingsError(
                f"Security 2 does not fit into console lines of {MAX_REQUEST_LINE} bytes.",
                next_step="Serve this device over its access point.",
            )
        self._runner = DeviceRunner(profile, station, rng)
        self._session: int | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer line by line until the stream ends; an attempt to join outlives it, the session does not."""
        lines = Lines(MAX_REQUEST_LINE)
        try:
            while octets := await reader.read(CHUNK):
                for line in lines.feed(octets):
                    writer.write(await self._answer(line))
                    await writer.drain()
        finally:
            self._runner.core.end_session()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._runner.close()

    async def wait_connected(self) -> Onboarded:
        """Return the next network that worked, with the registration order that came with it, if any."""
        return await self._runner.wait_connected()

    def report(self, stage: DeviceStage) -> None:
        """Tell whoever asks how the registration goes."""
        self._runner.core.report(stage)

    async def _answer(self, line: bytes) -> bytes:
        try:
            request = decode_request(line)
            if request.session != self._session:
                self._runner.core.end_session()
                self._session = request.session
            return encode_reply(await self._runner.ask(request.endpoint, request.body))
        except DoorstepError as refusal:
            return encode_refusal(f"{refusal.message} {refusal.next_step}".strip())
        except Exception:
            log.exception("the console set-up failed")
            self._runner.core.end_session()
            return encode_refusal("The device failed. Run the set-up again.")


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
