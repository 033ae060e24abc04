"""A client of wpa_supplicant's (or hostapd's) control socket: commands with replies, and events.

wpa_supplicant answers to the address of a Unix datagram socket, so this client has one of its own, in the
folder for temporary files, which both programs must see: a service with a private one sets ``TMPDIR``.
"""

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorstep.errors import MalformedMessage, RefusedError, UnavailableError
from doorstep.wire.wpa_control import ControlEvent, decode_event, decode_fields, decode_reply, is_event

__all__ = ["CommandRefused", "ControlEvents", "ControlSocket"]

REPLY_TIMEOUT: Final = 10.0
MAX_WAITING_EVENTS: Final = 256
"""Events that a listener may leave unread; the oldest are forgotten."""


class CommandRefused(RefusedError):
    """wpa_supplicant did not do what it was told; ``reply`` says no more than FAIL mostly."""

    def __init__(self, verb: str, reply: str) -> None:
        super().__init__(f"wpa_supplicant refused {verb}.", next_step="Look into its log.")
        self.reply = reply


class ControlEvents:
    """What one listener has not read yet."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[ControlEvent | None] = asyncio.Queue()

    def put(self, event: ControlEvent | None) -> None:
        """Add an event; None says that the socket is gone."""
        if self._queue.qsize() >= MAX_WAITING_EVENTS:
            self._queue.get_nowait()
        self._queue.put_nowait(event)

    async def next(self, *names: str) -> ControlEvent:
        """Return the next event of one of the names (any, without names); others are dropped on the way.

        Waits for ever: wrap it in `asyncio.timeout`. Raises UnavailableError when wpa_supplicant ends.
        """
        while True:
            event = await self._queue.get()
            if event is None:
                raise UnavailableError("wpa_supplicant has ended", next_step="Start it again.")
            if not names or event.name in names:
                return event


class ControlSocket(asyncio.DatagramProtocol):
    """One conversation with a running wpa_supplicant, from entering until leaving; events come meanwhile."""

    def __init__(self, path: Path) -> None:
        """``path`` is the socket of one interface, such as ``/run/wpa_supplicant/wlan0``."""
        self._path = path
        self._turn = asyncio.Lock()
        self._reply: asyncio.Future[bytes] | None = None
        self._listeners: list[ControlEvents] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._ended = False
        self._own: tempfile.TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Self:
        """Connect and ask for events; raises UnavailableError where nobody listens on the path."""
        self._own = tempfile.TemporaryDirectory(prefix="doorstep-wpa-")
        try:
            client = self._connected(Path(self._own.name))
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=client)
            await self.order("ATTACH")
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye and close."""
        with suppress(UnavailableError, RefusedError):
            await self.order("DETACH")
        self._close()

    async def ask(self, command: str) -> str:
        """Send a command and return its reply; one at a time, others wait.

        Raises UnavailableError when there is none in time, and CommandRefused for ``FAIL`` and the like.
        """
        reply = await self._exchange(command)
        if reply.startswith("FAIL") or reply == "UNKNOWN COMMAND":
            raise CommandRefused(_verb(command), reply)
        return reply

    async def order(self, command: str) -> None:
        """Send a command whose reply is ``OK``; raises as `ask` does."""
        reply = await self.ask(command)
        if reply != "OK":
            raise CommandRefused(_verb(command), reply)

    async def fields(self, command: str) -> dict[str, str]:
        """Send a command whose reply is lines of ``key=value``, such as ``STATUS``."""
        return decode_fields(await self.ask(command))

    @contextmanager
    def listen(self) -> Iterator[ControlEvents]:
        """Collect events while entered, so that none between a command and the waiting gets lost."""
        events = ControlEvents()
        self._listeners.append(events)
        try:
            yield events
        finally:
            self._listeners.remove(events)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Hand a reply to whoever asked, an event to whoever listens."""
        del addr
        if not is_event(data):
            if self._reply is not None and not self._reply.done():
                self._reply.set_result(data)
            return
        try:
            event = decode_event(data)
        except MalformedMessage:
            return  # nobody waits for an event that has no name
        if event.name == "CTRL-EVENT-TERMINATING":
            self._end()
        else:
            self._spread(event)

    def error_received(self, exc: Exception) -> None:
        """Say that the other side is gone."""
        del exc
        self._end()

    def _end(self) -> None:
        """Let nobody wait for a program that has ended."""
        self._ended = True
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionError())
        self._spread(None)

    def _spread(self, event: ControlEvent | None) -> None:
        for listener in self._listeners:
            listener.put(event)

    async def _exchange(self, command: str) -> str:
        async with self._turn:
            if self._transport is None or self._transport.is_closing() or self._ended:
                raise UnavailableError("the conversation with wpa_supplicant is over")
            self._reply = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(REPLY_TIMEOUT):
                    self._transport.sendto(command.encode("utf-8", errors="surrogateescape"))
                    return decode_reply(await self._reply)
            except (OSError, TimeoutError):  # the cause could quote the command, which may hold a key
                raise UnavailableError(
                    f"wpa_supplicant does not answer on {self._path}",
                    next_step="Start it, or restart it where it hangs.",
                ) from None
            finally:
                self._reply = None

    def _connected(self, folder: Path) -> socket.socket:
        folder.chmod(0o755)  # wpa_supplicant may run as another user than we do
        reply_to = folder / "replies"
        client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            client.bind(os.fspath(reply_to))
            reply_to.chmod(0o777)  # to write to it is all that wpa_supplicant needs
            client.connect(os.fspath(self._path))
        except OSError as error:
            client.close()
            raise UnavailableError(
                f"wpa_supplicant's control socket {self._path} cannot be used: {error.strerror}",
                next_step="Start wpa_supplicant with ctrl_interface, and let this user write to the socket.",
            ) from None
        return client

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._own is not None:
            self._own.cleanup()


def _verb(command: str) -> str:
    """Return what of a command may be shown: never a value, which may be a key."""
    words = command.split(" ")
    return f"{words[0]} {words[2]}" if words[0] == "SET_NETWORK" else words[0]
