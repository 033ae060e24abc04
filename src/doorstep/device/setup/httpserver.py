"""A door that speaks HTTP: connections counted, the slowest shown out, requests answered by a handler."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.httpd import (
    MAX_HEAD,
    HttpRefusal,
    Request,
    Response,
    read_request,
    write_response,
)
from doorstep.errors import DoorstepError, UnavailableError

__all__ = ["Connection", "Handler", "HttpServer"]

MAX_CONNECTIONS: Final = 16
"""A phone's browser and its probes hold several."""
HANDSHAKE_TIMEOUT: Final = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Connection:
    """One connection, compared by identity: the address it reached us at and the one it comes from."""

    here: str
    """As in a Host header: the address, and the port where it is not the scheme's own."""
    peer: str
    secure: bool


Handler = Callable[[Request, Connection], Awaitable[Response]]
"""Answers a request; a DoorstepError or HttpRefusal that it raises becomes a plain sentence."""


class HttpServer:
    """A `Door`: listens while entered; ``port`` is known once entered."""

    def __init__(self, handler: Handler, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """``port`` 0 takes a free one."""
        self._handler = handler
        self._address = host, port
        self._tls = tls
        self._work: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._waiting: dict[asyncio.StreamWriter, None] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen; raises `UnavailableError` where the port is taken."""
        host, port = self._address
        timeout = None if self._tls is None else HANDSHAKE_TIMEOUT
        try:
            self._server = await asyncio.start_server(
                self._serve, host, port, limit=MAX_HEAD, ssl=self._tls, ssl_handshake_timeout=timeout
            )
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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS and not self._show_one_out():
            writer.close()
            return
        task = asyncio.current_task()
        self._connections.add(writer)
        if task is not None:
            self._work.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            log.debug("a set-up connection ended early")
        finally:
            self._connections.discard(writer)
            self._waiting.pop(writer, None)
            if task is not None:
                self._work.discard(task)
            writer.close()

    def _show_one_out(self) -> bool:
        """Hang up on whoever has kept us waiting longest; False where everybody is being answered."""
        for writer in self._waiting:
            del self._waiting[writer]
            self._connections.discard(writer)
            writer.close()
            return True
        return False

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _connection(writer, secure=self._tls is not None)
        while True:
            self._waiting[writer] = None
            try:
                request = await read_request(reader)
            except HttpRefusal as refusal:
                await write_response(writer, Response.refusing(refusal), close=True)
                return
            finally:
                self._waiting.pop(writer, None)
            if request is None:
                return
            response = await self._answer(request, connection)
            await write_response(writer, response, bodiless=request.method == "HEAD", close=request.last)
            if request.last:
                return

    async def _answer(self, request: Request, connection: Connection) -> Response:
        try:
            return await self._handler(request, connection)
        except HttpRefusal as refusal:
            return Response.refusing(refusal)
        except DoorstepError as error:
            return Response.refusing(HttpRefusal.of(error))
        except Exception:
            log.exception("the set-up server failed")
            return Response.refusing(HttpRefusal(500, "The device failed. Run the set-up again."))


def _connection(writer: asyncio.StreamWriter, *, secure: bool) -> Connection:
    here, port = writer.get_extra_info("sockname")[:2]
    host = f"[{here}]" if ":" in here else here
    own = 443 if secure else 80
    return Connection(host if port == own else f"{host}:{port}", writer.get_extra_info("peername")[0], secure)
