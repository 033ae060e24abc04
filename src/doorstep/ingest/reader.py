"""A pull reader for one broker's stream: our own requests and the least parsing that does the job.

It speaks the NATS client protocol itself, because a general client library costs several times what opening
and storing a message does. What it fetched and nobody acknowledged comes again after every new connection.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, cast

from doorstep.errors import UnavailableError
from doorstep.runtime.brokers import PARTITIONS, STREAM, Link, consumer_name

__all__ = ["Fetched", "Reader"]

_log = logging.getLogger(__name__)

_PULL_EXPIRES_NS: Final = 30_000_000_000
_ANSWER_S: Final = 5.0
_SILENCE_S: Final = 70.0
_RETRY_S: Final = 0.2
_CONTROL_LANE: Final = b"0"
_PENDING: Final = b"Nats-Pending-Messages:"
_NATS_OPTIONS: Final = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}


Fetched = tuple[bytes, bytes, bytes]
"""A message as it came from the stream: subject, the reply that acknowledges it with everything before it
in its partition, payload. A plain tuple, because one is made for every message."""


class _Wire(asyncio.Protocol):
    """The client protocol: one lane of messages a subscription, everything else as events."""

    def __init__(self, arrived: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self.lanes: dict[bytes, list[Fetched]] = {}
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.credit_back: dict[bytes, int] = {}
        self.heard = True
        self.ready: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport
        self._arrived = arrived
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.lost.done():
            self.lost.set_result(None)
        self.answers.put_nowait(b"")
        self._arrived()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        buffer, at = (self._rest + data if self._rest else data), 0
        size, find, lanes = len(buffer), buffer.find, self.lanes
        while (end := find(b"\r\n", at)) >= 0:
            if buffer[at] != 72:  # noqa: PLR2004 - not "H" of HMSG, which is nearly everything
                taken = self._other(buffer, at, end)
                if taken < 0:
                    break
                at = taken
                continue
            words = buffer[at + 5 : end].split(b" ")
            head = end + 2
            stop = head + int(words[-1])
            if stop + 2 > size:
                break
            body = buffer[head + int(words[-2]) : stop]
            if len(words) == 5:  # noqa: PLR2004 - with a reply subject: from the stream
                lanes[words[1]].append((words[0], words[2], body))
            else:
                self._status(words[1], buffer[head:stop], body)
            at = stop + 2
        self._rest = buffer[at:] if at < size else b""
        self._arrived()

    def send(self, subject: bytes, body: bytes, reply: bytes = b"") -> None:
        self.transport.write(b"PUB %b %b %d\r\n%b\r\n" % (subject, reply, len(body), body))

    def _other(self, buffer: bytes, at: int, end: int) -> int:
        """Handle a line that is no HMSG; return where the next one starts, -1 when this one is not whole."""
        if buffer.startswith(b"MSG ", at):
            words = buffer[at + 4 : end].split(b" ")
            stop = end + 2 + int(words[-1])
            if stop + 2 > len(buffer):
                return -1
            self._message(words, buffer[end + 2 : stop])
            return stop + 2
        line = buffer[at:end]
        if line == b"PING":
            self.transport.write(b"PONG\r\n")
        elif line == b"PONG" and not self.ready.done():
            self.ready.set_result(None)
        elif line.startswith(b"-ERR"):
            _log.warning("the broker says: %s", line.decode("ascii", "replace"))
        return end + 2

    def _message(self, words: list[bytes], body: bytes) -> None:
        lane = words[1]
        if lane == _CONTROL_LANE:
            self.answers.put_nowait(body)
        else:
            self.lanes[lane].append((words[0], words[2], body))

    def _status(self, lane: bytes, header: bytes, body: bytes) -> None:
        """Take an answer without content: a pull request that ended, or nobody there to answer."""
        if lane == _CONTROL_LANE:
            self.answers.put_nowait(body)
            return
        unused = [line[len(_PENDING) :] for line in header.split(b"\r\n") if line.startswith(_PENDING)]
        # Without a number nothing is known to be on its way: begin again.
        self.credit_back[lane] = self.credit_back.get(lane, 0) + int(unused[0]) if unused else 1 << 30


class Reader:
    """Keeps a connection to one broker and the pull requests on it; ``arrived`` is set when there is news."""

    def __init__(self, to: Link, arrived: asyncio.Event, batch: int) -> None:
        self._to = to
        self._arrived = arrived
        self._batch = batch
        self._wire: _Wire | None = None
        self._credit: dict[bytes, int] = {}

    @property
    def connected(self) -> bool:
        """Whether messages can arrive."""
        return self._wire is not None

    async def keep_connected(self) -> None:
        """Connect, and again whenever the connection ends, until cancelled."""
        while True:
            try:
                await self._connect()
                _log.info("reading from %s", self._to.address)
                if self._wire is not None:
                    await _end_of(self._wire)
            except (OSError, TimeoutError, UnavailableError) as error:
                _log.info("%s: %s", self._to.address, error)
            self.disconnect()
            await asyncio.sleep(_RETRY_S)

    def disconnect(self) -> None:
        """Forget what is not taken yet; it comes again with the next connection."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.transport.abort()

    @property
    def waiting(self) -> int:
        """Messages that can be taken."""
        return sum(map(len, self._wire.lanes.values())) if self._wire else 0

    def renew(self) -> None:
        """Ask again for what ended without messages: silence may outlast a request's half a minute."""
        if self._wire is not None and self._wire.credit_back:
            self._pull(self._wire)

    def say(self, subject: bytes, payload: bytes) -> None:
        """Publish to whoever is there now; nobody learns when the connection has just ended."""
        if self._wire is not None and not self._wire.lost.done():
            self._wire.send(subject, payload)

    def take(self) -> "Taken":
        """Take all that is there, and ask for more."""
        wire = self._wire
        if wire is None:
            return Taken([], lambda: None)
        messages: list[Fetched] = []
        acknowledgements: list[bytes] = []
        for lane, waiting in wire.lanes.items():
            if waiting:
                wire.lanes[lane] = []
                messages += waiting
                acknowledgements.append(waiting[-1][1])
                self._credit[lane] -= len(waiting)
        self._pull(wire)
        return Taken(messages, lambda: _acknowledge(wire, acknowledgements))

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: _Wire(self._arrived.set), self._to.host, self._to.port)
        try:
            options = {
                **_NATS_OPTIONS,
                "user": self._to.user,
                "pass": self._to.password,
                "name": "doorstep-ingest",
            }
            wire.transport.write(b"CONNECT " + json.dumps(options).encode() + b"\r\nPING\r\n")
            await asyncio.wait_for(wire.ready, _ANSWER_S)
            await self._begin(wire)
        except BaseException:
            wire.transport.abort()
            raise
        self._wire = wire

    async def _begin(self, wire: _Wire) -> None:
        """Make every partition start again behind the last acknowledgement, then ask for messages.

        Without the reset the broker gives new messages first, and acknowledging those would acknowledge the
        ones that the last worker had fetched and not stored.
        """
        inbox = b"_INBOX." + os.urandom(12).hex().encode()
        wire.transport.write(b"SUB %b.0 0\r\n" % inbox)
        for partition in range(PARTITIONS):
            # A reset of what does not exist is not answered; a question about it is.
            await self._ask(wire, f"CONSUMER.INFO.{STREAM}.{consumer_name(partition)}", inbox)
            await self._ask(wire, f"CONSUMER.RESET.{STREAM}.{consumer_name(partition)}", inbox)
        self._credit = {}
        self._inbox = inbox
        for partition in range(PARTITIONS):
            lane = _lane(partition)
            wire.lanes[lane] = []
            self._credit[lane] = 0
            wire.transport.write(b"SUB %b.%b %b\r\n" % (inbox, lane, lane))
        self._pull(wire)

    async def _ask(self, wire: _Wire, call: str, inbox: bytes) -> None:
        wire.send(f"$JS.API.{call}".encode(), b"", inbox + b".0")
        answer = await asyncio.wait_for(wire.answers.get(), _ANSWER_S)
        parsed: dict[str, Any] = (
            json.loads(answer) if answer else {"error": {"description": "nobody answers"}}
        )
        if "error" in parsed:
            raise UnavailableError(
                f"{call.partition('.$')[0]}: {parsed['error'].get('description', 'no reason')}",
                next_step="Start the authorizer: it makes the stream and its consumers.",
            )

    def _pull(self, wire: _Wire) -> None:
        """Keep one to two batches asked for in each partition."""
        for lane, back in wire.credit_back.items():
            self._credit[lane] = max(0, self._credit[lane] - back)
        wire.credit_back.clear()
        body = b'{"batch":%d,"expires":%d}' % (self._batch, _PULL_EXPIRES_NS)
        for partition in range(PARTITIONS):
            lane = _lane(partition)
            if self._credit[lane] <= self._batch // 2:
                call = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer_name(partition)}".encode()
                wire.send(call, body, self._inbox + b"." + lane)
                self._credit[lane] += self._batch


class Taken(NamedTuple):
    """Messages in the order of their partitions, and how to acknowledge all of them."""

    messages: list[Fetched]
    acknowledge: Callable[[], None]


def _acknowledge(wire: _Wire, replies: Iterable[bytes]) -> None:
    if not wire.lost.done():
        wire.transport.write(b"".join(b"PUB %b 4\r\n+ACK\r\n" % reply for reply in replies))


async def _end_of(wire: _Wire) -> None:
    """Wait until the connection ends, or nothing comes over it: a request is answered in half a minute."""
    while wire.heard and not wire.lost.done():
        wire.heard = False
        await asyncio.wait({wire.lost}, timeout=_SILENCE_S)


def _lane(partition: int) -> bytes:
    return b"%d" % (partition + 1)
