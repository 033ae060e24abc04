"""A TCP server that ends cleanly: it knows who is connected and hangs up on them."""

import asyncio
import logging
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from doorstep.errors import UnavailableError

__all__ = ["TcpServer"]

log = logging.getLogger(__name__)


class TcpServer(ABC):
    """Listens while entered, each connection a task of its own; ``port`` is known once entered."""

    def __init__(self, name: str, host: str, port: int, **listening: Any) -> None:
        """``name`` is how errors call it; ``port`` 0 takes a free one; the rest is asyncio's."""
        self._name = name
        self._address = host, port
        self._listening = listening
        self._connected: dict[asyncio.StreamWriter, asyncio.Task[Any]] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen; raises `UnavailableError` where the port is taken."""
        host, port = self._address
        try:
            self._server = await asyncio.start_server(self._take, host, port, **self._listening)
        except OSError as error:
            raise UnavailableError(
                f"{self._name} cannot listen on {host} port {port}: {error.strerror}.",
                next_step="Stop what uses the port, or give another one.",
            ) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, hang up, and give up what is under way."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._connected.values())
        for writer, task in list(self._connected.items()):
            writer.close()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            raise UnavailableError(f"{self._name} is not running")
        return int(self._server.sockets[0].getsockname()[1])

    @abstractmethod
    def admits(self) -> bool:
        """Say whether one more may come in now."""

    @abstractmethod
    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one side until its end; a lost connection or a time-out may just be raised."""

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or not self.admits():
            writer.close()
            return
        self._connected[writer] = task
        try:
            await self.converse(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            log.debug("a connection to %s ended early", self._name)
        finally:
            self._connected.pop(writer, None)
            writer.close()
