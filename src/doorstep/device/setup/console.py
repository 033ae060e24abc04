"""Onboarding over a console line, for benches: the device's side, over any pair of streams."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Final

from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.runner import DeviceRunner
from doorstep.errors import DoorstepError, SettingsError
from doorstep.onboarding.protocomm.console import (
    MAX_REQUEST_LINE,
    Lines,
    decode_request,
    encode_refusal,
    encode_reply,
)
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["ConsoleServer"]

CHUNK: Final = 4096

log = logging.getLogger(__name__)


class ConsoleServer:
    """Serves one device's onboarding on a stream; security 1 alone fits into its lines."""

    def __init__(
        self, profile: DeviceProfile, joiner: Joiner, *, rng: Callable[[int], bytes] = os.urandom
    ) -> None:
        """``rng`` returns that many unpredictable bytes."""
        if not isinstance(profile.secret, Sec1Code):
            raise SettingsError(
                f"Security 2 does not fit into console lines of {MAX_REQUEST_LINE} bytes.",
                next_step="Serve this device over its access point.",
            )
        self._runner = DeviceRunner(profile, joiner, rng)
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
