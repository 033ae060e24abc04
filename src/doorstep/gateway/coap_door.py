"""The door for CoAP over UDP."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Final, cast

from doorstep.errors import DoorstepError, PeerError, RefusedError, UnavailableError
from doorstep.gateway.coap import Ask, Exchanges, Refused, read_request, reply_to, reset_of
from doorstep.gateway.hall import Hall
from doorstep.wire.coap import Code, Kind, Message, decode

__all__ = ["MAX_AT_ONCE", "CoapDoor", "open_coap"]

MAX_AT_ONCE: Final = 1_024
"""Requests that are worked on at once; beyond, datagrams are dropped, and their senders repeat them."""

_MAX_WORDS: Final = 200


class CoapDoor(asyncio.DatagramProtocol):
    """Answers datagrams; one that waits for the disk stops no other."""

    def __init__(self, hall: Hall, clock_us: Callable[[], int]) -> None:
        self._hall = hall
        self._clock_us = clock_us
        self._exchanges = Exchanges()
        self._numbers = count()
        self._working: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # it is one in all but name

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        """See asyncio."""
        try:
            message = decode(data)
        except PeerError:
            if len(data) > 3 and data[0] & 0xF0 == 0x40:  # noqa: PLR2004 - confirmable (RFC 7252 section 4.2)
                self._send(reset_of(int.from_bytes(data[2:4], "big")), addr)
            return
        if message.kind in {Kind.ACKNOWLEDGEMENT, Kind.RESET} or len(self._working) >= MAX_AT_ONCE:
            return
        if message.code == Code.EMPTY:
            if message.kind is Kind.CONFIRMABLE:
                self._send(reset_of(message.message_id), addr)
            return
        known = self._exchanges.begin(addr, message.message_id, self._clock_us())
        if known is None:
            task = asyncio.create_task(self._serve(message, addr))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        elif known:
            self._send(known, addr)

    async def close(self) -> None:
        """Stop answering."""
        if self._transport is not None:
            self._transport.close()
        for task in tuple(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _serve(self, message: Message, addr: tuple[object, ...]) -> None:
        code, payload = await self._answer(message)
        answer = reply_to(message, next(self._numbers) & 0xFFFF, code, payload)
        if code is Code.UNAVAILABLE:
            self._exchanges.abandon(addr, message.message_id)
        else:
            self._exchanges.end(addr, message.message_id, answer)
        self._send(answer, addr)

    async def _answer(self, message: Message) -> tuple[Code, bytes]:
        try:
            return await self._do(message)
        except Refused as error:
            return error.code, _words(error)
        except RefusedError as error:
            return Code.FORBIDDEN, _words(error)
        except UnavailableError as error:
            return Code.UNAVAILABLE, _words(error)
        except PeerError as error:
            return Code.BAD_REQUEST, _words(error)

    async def _do(self, message: Message) -> tuple[Code, bytes]:
        request = read_request(message)
        if isinstance(request, Ask):
            found = self._hall.collect(request.device, request.channel)
            return (Code.NOT_FOUND, b"") if found is None else (Code.CONTENT, found)
        await self._hall.take(request.device, request.channel, request.message)
        return Code.CHANGED, ",".join(self._hall.waiting(request.device)).encode()

    def _send(self, datagram: bytes, addr: tuple[object, ...]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, addr)


async def open_coap(hall: Hall, host: str, port: int, clock_us: Callable[[], int]) -> tuple[CoapDoor, int]:
    """Listen; return the door and its port. Raises UnavailableError when the port can't be had."""
    loop = asyncio.get_running_loop()
    try:
        transport, door = await loop.create_datagram_endpoint(
            lambda: CoapDoor(hall, clock_us), local_addr=(host, port)
        )
    except OSError as error:
        raise UnavailableError(
            f"CoAP can't listen on {host} port {port}: {error.strerror or error}",
            next_step="Stop what uses it, or name another with --coap-port.",
        ) from error
    return door, transport.get_extra_info("sockname")[1]


def _words(error: DoorstepError) -> bytes:
    return error.message[:_MAX_WORDS].encode()
