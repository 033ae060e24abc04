"""A door that speaks HTTP: connections counted, the slowest shown out, requests answered by a handler."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from doorstep.device.setup.httpd import (
    MAX_HEAD,
    HttpRefusal,
    Request,
    Response,
    read_request,
    write_response,
)
from doorstep.errors import DoorstepError
from doorstep.runtime.tcp import TcpServer

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


class HttpServer(TcpServer):
    """A `Door`: listens while entered; ``port`` is known once entered."""

    def __init__(self, handler: Handler, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """``port`` 0 takes a free one."""
        timeout = None if tls is None else HANDSHAKE_TIMEOUT
        super().__init__(
            "The set-up server", host, port, limit=MAX_HEAD, ssl=tls, ssl_handshake_timeout=timeout
        )
        self._handler = handler
        self._tls = tls
        self._waiting: dict[asyncio.StreamWriter, None] = {}

    def admits(self) -> bool:
        """See TcpServer: with a full house, whoever has kept us waiting longest goes."""
        return len(self._connected) < MAX_CONNECTIONS or self._show_one_out()

    def _show_one_out(self) -> bool:
        """Hang up on whoever has kept us waiting longest; False where everybody is being answered."""
        for writer in self._waiting:
            del self._waiting[writer]
            self._connected.pop(writer).cancel()
            writer.close()
            return True
        return False

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer: one request after the other."""
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
