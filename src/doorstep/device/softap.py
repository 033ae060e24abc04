"""The device's SoftAP side: a small HTTP/1.1 server that carries onboarding between a phone and the core.

``POST /<endpoint>`` with a body of at most 4096 bytes. One session at a time, named by a bare
``session=N`` cookie or by the connection that opened it, because official clients do either.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from doorstep.device.httpd import MAX_HEAD, HttpRefusal, Request, read_request, write_answer
from doorstep.device.station import WifiStation
from doorstep.errors import DoorstepError, ProtocolViolation, UnavailableError
from doorstep.onboarding.device import (
    DeviceOnboarding,
    DeviceProfile,
    JoinWanted,
    Onboarded,
    ScanWanted,
    Secured,
    Wish,
)
from doorstep.onboarding.network import JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.delivery import DeviceStage

if TYPE_CHECKING:
    from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["SoftApServer"]

MAX_CONNECTIONS: Final = 8
SCAN_TIMEOUT: Final = 30.0
JOIN_TIMEOUT: Final = 120.0

log = logging.getLogger(__name__)


class SoftApServer:
    """Serves one device's onboarding until left; ``port`` is known once entered.

    What `wait_connected` returns is the moment to store the network: before it, nothing is known to work.
    """

    def __init__(
        self,
        profile: DeviceProfile,
        station: WifiStation,
        *,
        host: str = "0.0.0.0",  # noqa: S104 — the access point's clients are whom it is for
        port: int = 80,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``port`` 0 takes a free one; ``rng`` returns that many unpredictable bytes."""
        self._core = DeviceOnboarding(profile, rng)
        self._station = station
        self._address = host, port
        self._rng = rng
        self._outcomes: asyncio.Queue[Onboarded] = asyncio.Queue()
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
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            raise UnavailableError("the set-up server is not running")
        return int(self._server.sockets[0].getsockname()[1])

    async def wait_connected(self) -> Onboarded:
        """Return the next network that worked, with the registration order that came with it, if any."""
        return await self._outcomes.get()

    def report(self, stage: DeviceStage) -> None:
        """Tell whoever asks how the registration goes."""
        self._core.report(stage)

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
            body = await self._ask_core(request)
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

    async def _ask_core(self, request: Request) -> bytes:
        answer = self._core.receive(request.endpoint, request.body, time.monotonic())
        reply = answer.reply
        for wish in answer.wishes:
            if isinstance(wish, ScanWanted) and reply is None:
                reply = await self._scan(wish)
            else:
                self._grant(wish)
        if reply is None:
            raise UnavailableError("the session ended during the scan")
        return reply

    def _grant(self, wish: Wish) -> None:
        match wish:
            case ScanWanted():
                self._start(self._scan_aside(wish))
            case JoinWanted():
                self._start(self._join(wish.network))
            case Onboarded():
                self._outcomes.put_nowait(wish)
            case Secured():
                log.info("a phone has proven that it knows the code")

    async def _scan(self, wish: ScanWanted) -> bytes | None:
        try:
            async with asyncio.timeout(SCAN_TIMEOUT):
                found: Sequence[ScanEntry] | None = await self._station.scan(wish.request)
        except Exception:
            log.exception("the Wi-Fi station could not scan")
            found = None
        return self._core.scanned(found)

    async def _scan_aside(self, wish: ScanWanted) -> None:
        await self._scan(wish)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _join(self, network: NetworkCredentials) -> None:
        outcome: JoinOutcome
        try:
            async with asyncio.timeout(JOIN_TIMEOUT):
                outcome = await self._station.try_connect(network)
        except Exception:
            log.exception("the Wi-Fi station could not join")
            outcome = JoinFailure.RADIO_FAILED
        onboarded = self._core.joined(outcome)
        if onboarded is not None:
            self._outcomes.put_nowait(onboarded)
