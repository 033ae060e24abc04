"""The reader's protocol without a broker: whole, byte by byte, and silent."""

import asyncio
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any, TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.ingest import reader
from doorstep.ingest.reader import Fetched, Reader, _Wire
from doorstep.runtime.brokers import Link, User
from tests.wait import until_soon

_T = TypeVar("_T")
HEADER = b"NATS/1.0\r\nNmqtt-Pub: 1\r\n\r\n"
MESSAGES: list[Fetched] = [
    (b"$MQTT.msgs.u.1.abcdefgh.data", b"$JS.ACK.1", b"payload"),
    (b"$MQTT.msgs.u.1.abcdefgh.state", b"$JS.ACK.2", b""),
    (b"$MQTT.msgs.u.1.bbbbbbbb.data", b"$JS.ACK.3", b"with\r\nline ends\r\nMSG x 1 3\r\n"),
]


def hmsg(subject: bytes, reply: bytes, payload: bytes) -> bytes:
    length = len(HEADER)
    total = length + len(payload)
    return b"HMSG %b 2 %b %d %d\r\n%b%b\r\n" % (subject, reply, length, total, HEADER, payload)


def msg(subject: bytes, reply: bytes, payload: bytes) -> bytes:
    return b"MSG %b 2 %b %d\r\n%b\r\n" % (subject, reply, len(payload), payload)


STATUS = b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 7\r\nNats-Pending-Bytes: 0\r\n\r\n"
STREAM = b"".join(
    [
        b'INFO {"server_name":"x"}\r\n',
        hmsg(*MESSAGES[0]),
        b"PING\r\n",
        msg(*MESSAGES[1]),
        b"HMSG _INBOX.x.2 2 %d %d\r\n%b\r\n" % (len(STATUS), len(STATUS), STATUS),
        b"-ERR 'Slow Consumer'\r\n",
        b"MSG _INBOX.x.0 0 4\r\n{ } \r\n",
        b"PONG\r\n",
        hmsg(*MESSAGES[2]),
    ]
)


class Sent(asyncio.Transport):
    """Remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: Any) -> None:
        self.data += data


def run(scene: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(scene)


async def fed(pieces: list[bytes]) -> tuple[_Wire, Sent]:
    wire, sent = _Wire(lambda: None), Sent()
    wire.connection_made(sent)
    wire.lanes[b"2"] = []
    for piece in pieces:
        wire.data_received(piece)
    return wire, sent


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_reader_understands_a_stream_however_it_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    wire, sent = run(fed([STREAM[a:b] for a, b in pairwise(edges)]))
    assert wire.lanes[b"2"] == MESSAGES
    assert wire.credit_back == {b"2": 7}
    assert wire.answers.get_nowait() == b"{ } "
    assert wire.ready.done()
    assert sent.data == b"PONG\r\n"


def test_reader_understands_a_stream_byte_by_byte() -> None:
    wire, _ = run(fed([bytes((byte,)) for byte in STREAM]))
    assert wire.lanes[b"2"] == MESSAGES


def test_request_that_ends_without_a_number_begins_again() -> None:
    gone = b"NATS/1.0 409 Consumer Deleted\r\n\r\n"
    wire, _ = run(fed([b"HMSG _INBOX.x.2 2 %d %d\r\n%b\r\n" % (len(gone), len(gone), gone)]))
    assert wire.credit_back[b"2"] > 10**6


def test_nobody_there_to_answer_is_an_empty_answer() -> None:
    nobody = b"NATS/1.0 503\r\n\r\n"
    wire, _ = run(fed([b"HMSG _INBOX.x.0 0 %d %d\r\n%b\r\n" % (len(nobody), len(nobody), nobody)]))
    assert wire.answers.get_nowait() == b""


def test_reader_hangs_up_when_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut cable says nothing: without this the reader would wait for ever."""
    monkeypatch.setattr(reader, "_SILENCE_S", 0.1)

    async def scene() -> None:
        connections: list[asyncio.StreamWriter] = []

        async def broker(lines: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            while line := await lines.readline():
                if line == b"PING\r\n":
                    writer.write(b"PONG\r\n")
                elif line.startswith(b"PUB $JS.API.CONSUMER.") and b"NEXT" not in line:
                    writer.write(b"MSG x 0 2\r\n{}\r\n")
            writer.close()

        server = await asyncio.start_server(broker, "127.0.0.1")
        port = cast("int", server.sockets[0].getsockname()[1])
        ours = Reader(Link("127.0.0.1", port, User.INGEST, "secret"), asyncio.Event(), 10)
        keeping = asyncio.create_task(ours.keep_connected())
        await until_soon(lambda: len(connections) > 1, seconds=5)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        ours.disconnect()
        server.close()
        for _ in range(20):  # turns of the loop, not time: a connection may be half accepted
            await asyncio.sleep(0.005)
        for writer in connections:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in connections), return_exceptions=True)

    run(scene())
