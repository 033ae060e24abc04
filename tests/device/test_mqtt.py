"""Sessions against brokers that misbehave; the good path runs against the real one."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from doorstep.device.mqtt import BrokerRefused, BrokerUnreachable, Door, SessionEnded, open_session
from doorstep.device.mqtt import _Client as Minding
from doorstep.device.outbox import Outbox
from doorstep.device.store import Endpoint

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNACK = b"\x20\x02\x00"


def with_broker(serve: Serve, act: Callable[[Door], Awaitable[None]]) -> None:
    async def main() -> None:
        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await serve(reader, writer)
            writer.close()

        server = await asyncio.start_server(closing, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await act(Door("plain", Endpoint("127.0.0.1", port), proof=lambda: "proof"))

    asyncio.run(asyncio.wait_for(main(), 20))


async def enter(door: Door) -> None:
    async with open_session("abcdefgh", door) as session:
        await session.subscribe()
        outbox = Outbox()
        outbox.offer("data", b"21.5")
        try:
            await session.run(
                outbox,
                lambda _channel, plaintext: plaintext,
                published=lambda _parcel: None,
                received=lambda _channel, _payload: None,
            )
        finally:
            assert len(outbox) == 1
            assert (await outbox.take(lambda _c, _p: b"sealed again")).sealed == b"21.5"


@pytest.mark.parametrize("code", [2, 4, 5])
def test_refused_connect_is_a_refusal(code: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await reader.read(1000)
        assert b"abcdefgh" in connect
        assert b"proof" in connect
        writer.write(CONNACK + bytes((code,)))
        await reader.read()

    async def act(door: Door) -> None:
        with pytest.raises(BrokerRefused, match="refused this device"):
            await enter(door)

    with_broker(serve, act)


def test_broker_that_has_trouble_is_no_refusal() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + b"\x03")
        await reader.read()

    async def act(door: Door) -> None:
        with pytest.raises(BrokerUnreachable, match="cannot be used"):
            await enter(door)

    with_broker(serve, act)


def test_broker_that_hangs_up_before_it_answers_is_noticed_at_once() -> None:
    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)

    async def act(door: Door) -> None:
        started = asyncio.get_running_loop().time()
        with pytest.raises(BrokerUnreachable, match="hung up before it answered"):
            await enter(door)
        assert asyncio.get_running_loop().time() - started < 5

    with_broker(serve, act)


def test_socket_that_closes_before_it_is_minded_troubles_nobody() -> None:
    told: list[str] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        client = Minding("127.0.0.1")
        ours, theirs = socket.socketpair()
        client._on_socket_register_write(client._client, None, ours)
        ours.close()
        await asyncio.sleep(0.05)
        theirs.close()

    asyncio.run(main())
    assert told == []


def test_nobody_listening_is_named() -> None:
    async def main() -> None:
        with pytest.raises(BrokerUnreachable, match="cannot be used"):
            await enter(Door("plain", Endpoint("127.0.0.1", 1), proof=lambda: "proof"))

    asyncio.run(main())


def test_refused_subscription_is_a_refusal() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + b"\x00")
        subscribe = await reader.read(1000)
        assert b"d/abcdefgh/down/+" in subscribe
        writer.write(b"\x90\x03" + subscribe[2:4] + b"\x80")
        await reader.read()

    async def act(door: Door) -> None:
        with pytest.raises(BrokerRefused, match="its own topics"):
            await enter(door)

    with_broker(serve, act)


def test_session_that_ends_gives_the_unacknowledged_back() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + b"\x00")
        subscribe = await reader.read(1000)
        writer.write(b"\x90\x03" + subscribe[2:4] + b"\x00")
        publish = await reader.read(1000)
        assert b"d/abcdefgh/up/data" in publish

    async def act(door: Door) -> None:
        with pytest.raises(SessionEnded, match="the broker ended it"):
            await enter(door)

    with_broker(serve, act)
