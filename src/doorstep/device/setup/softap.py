"""The device's SoftAP side: a small HTTP/1.1 server that carries onboarding between a phone and the core.

``POST /<endpoint>`` with a body of at most 4096 bytes. One session at a time, named by a bare
``session=N`` cookie or by the connection that opened it, because official clients do either.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.httpd import MAX_HEAD, HttpRefusal, Request, read_request, write_answer
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.runner import DeviceRunner
from doorstep.errors import DoorstepError, ProtocolViolation, UnavailableError
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["SoftApServer"]

MAX_CONNECTIONS: Final = 8

log = logging.getLogger(__name__)


class SoftApServer:
    """Serves one device's onboarding until left; ``port`` is known once entered."""

    def __init__(
        self,
        profile: DeviceProfile,
        joiner: Joiner,
        *,
        host: str = "0.0.0.0",  # noqa: S104 — the access point's clients are whom it is for
        port: int = 80,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``port`` 0 takes a free one; ``rng`` returns that many unpredictable bytes."""
        self._runner = DeviceRunner(profile, joiner, rng)
        self._core = self._runner.core
        self._address = host, port
        self._rng = rng
        self._turn = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._cookie = ""
        self._opener: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        """Listen; raises `UnavailableError` where the port is taken."""
        host, port = self._address
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_HEAD)
        except OSError as error:
            raise UnavailableError(
                f"The set-up server cannot listen on {host} port {port}: {error.strerror}.",
                next_step="Stop what uses the port, or give another one.",
            ) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, hang up, and give up what is under way."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._connections):
            writer.close()
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._runner.close()
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            raise UnavailableError("the set-up server is not running")
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.close()
            return
        task = asyncio.current_task()
        self._connections.add(writer)
        if task is not None:
            self._work.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.CancelledError):
            log.debug("a set-up connection ended early")
        finally:
            self._connections.discard(writer)
            if task is not None:
                self._work.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await read_request(reader)
            except HttpRefusal as refusal:
                await write_answer(writer, refusal.status, str(refusal).encode(), close=True)
                return
            if request is None:
                return
            async with self._turn:
                await self._reply(request, writer)

    async def _reply(self, request: Request, writer: asyncio.StreamWriter) -> None:
        cookie = ""
        try:
            cookie = self._admit(request, writer)
            body = await self._runner.ask(request.endpoint, request.body)
        except Exception as error:  # noqa: BLE001 — logged, and answered with 500
            refusal = self._refuse(error)
            await write_answer(
                writer, refusal.status, str(refusal).encode(), cookie=cookie, wait=refusal.wait
            )
            return
        await write_answer(writer, 200, body, cookie=cookie)

    def _refuse(self, error: Exception) -> HttpRefusal:
        if isinstance(error, DoorstepError):
            return HttpRefusal.of(error)
        log.error("the set-up server failed", exc_info=error)
        self._core.end_session()
        return HttpRefusal(500, "The device failed. Run the set-up again.")

    def _admit(self, request: Request, writer: asyncio.StreamWriter) -> str:
        """Return the cookie of a session that this request opens, or nothing.

        A session under way is displaced only by another handshake, not by a passer-by's question.
        """
        if request.cookie == self._cookie if request.cookie else writer is self._opener:
            return ""
        if self._core.busy and request.endpoint == "proto-ver":
            return ""
        if self._core.busy and request.endpoint != "prov-session":
            raise ProtocolViolation(
                "Another phone is setting this device up.", next_step="Open a session first."
            )
        self._core.end_session()
        self._opener = writer
        self._cookie = f"session={int.from_bytes(self._rng(4))}"
        return self._cookie
