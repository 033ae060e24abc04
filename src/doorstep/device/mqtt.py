"""MQTT for one device: opens a session with a certificate or with a CONNECT proof, and empties the outbox.

A session is used once. What was sent and not acknowledged goes back into the outbox when it ends, so a
reconnect sends the same bytes again.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from doorstep.device.outbox import Outbox, Parcel
from doorstep.device.racing import end
from doorstep.device.store import Endpoint
from doorstep.errors import RefusedError, UnavailableError

__all__ = [
    "IN_FLIGHT",
    "BrokerRefused",
    "BrokerUnreachable",
    "Door",
    "Rider",
    "Session",
    "SessionEnded",
    "open_session",
]

IN_FLIGHT: Final = 8
"""Publishes that wait for their acknowledgement at once; far less than the replay window of 64."""

ANSWER_S: Final = 10.0
"""How long the broker may take to answer CONNECT and SUBSCRIBE."""

ACKNOWLEDGE_S: Final = 30.0
"""How long it may take to acknowledge a publish: a full stream holds acknowledgements back."""

KEEPALIVE_S: Final = 30

_REFUSALS: Final = frozenset({133, 134, 135})
"""CONNACK 2, 4 and 5 (MQTT 3.1.1 §3.2.2.3) as paho names them: the client's id, password, authorisation."""
_SUBSCRIPTION_REFUSED: Final = 0x80
_NO_REASON_GIVEN: Final = 0x80
"""What paho says of a session that just ended."""

_log = logging.getLogger(__name__)
_paho_log = logging.getLogger("doorstep.device.paho")
_paho_log.setLevel(logging.CRITICAL)


class BrokerUnreachable(UnavailableError):
    """No session: nobody answered, or not in time."""


class BrokerRefused(RefusedError):
    """No session: the broker answered that this device may not."""


class SessionEnded(UnavailableError):
    """The session is over without our doing."""


@dataclass(frozen=True, slots=True)
class Door:
    """One of the broker's listeners and how this device enters it."""

    name: str
    """``mTLS`` or ``plain``."""
    endpoint: Endpoint
    tls: ssl.SSLContext | None = None
    proof: Callable[[], str] | None = None
    """Makes a fresh password for each attempt, where there is no certificate."""


class Rider(Protocol):
    """Carries others' messages on this device's session, as a gateway does for its children."""

    @property
    def in_flight(self) -> int:
        """Publishes of the rider that may wait for their acknowledgement at once."""

    async def ride(self, session: "Session") -> None:
        """Publish and subscribe until cancelled; what `Session.publish` raises goes on to its caller."""

    def received(self, topic: str, message: bytes) -> None:
        """Take what came down on a topic that is not the device's own."""


class _Client(aiomqtt.Client):
    """Notices a broker that hangs up before it answers CONNECT, and minds sockets that close meanwhile."""

    def _on_disconnect(self, *args: Any) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("it hung up before it answered"))
        super()._on_disconnect(*args)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        # aiomqtt gives the loop the socket's number for a moment later, when it may be closed or another's.
        del userdata
        self._loop.call_soon_threadsafe(self._await_room, client, sock)

    def _await_room(self, client: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write, client)

    def _write(self, client: Any) -> None:
        try:
            client.loop_write()
        except Exception as error:  # noqa: BLE001 - as aiomqtt: the connection broke, however
            if not self._disconnected.done():
                self._disconnected.set_exception(error)

    def abandon(self) -> None:
        """Close the socket, if there is one."""
        self._client.disconnect()


class Session:
    """An open session."""

    def __init__(self, client: _Client, device: str) -> None:
        self._client = client
        self._device = device

    async def subscribe(self) -> None:
        """Ask for what the platform sends down; raises BrokerRefused or SessionEnded."""
        try:
            granted = await self._client.subscribe(f"d/{self._device}/down/+", timeout=ANSWER_S)
        except aiomqtt.MqttError as error:
            raise SessionEnded(f"the broker did not take the subscription: {error}") from error
        if _SUBSCRIPTION_REFUSED in granted:
            raise BrokerRefused("the broker refused the device its own topics")

    async def subscribe_to(self, topic_filter: str) -> bool:
        """Ask for somebody else's topics, and say whether they were granted; raises SessionEnded."""
        try:
            granted = await self._client.subscribe(topic_filter, timeout=ANSWER_S)
        except aiomqtt.MqttError as error:
            raise SessionEnded(f"the broker did not take the subscription: {error}") from error
        return _SUBSCRIPTION_REFUSED not in granted

    async def publish(self, topic: str, message: bytes) -> None:
        """Publish with QoS 1 and return when it was acknowledged; raises aiomqtt.MqttError.

        It is on its way before this waits first, so calls in order are sent in order.
        """
        await self._client.publish(topic, message, qos=1, timeout=ACKNOWLEDGE_S)

    async def run(
        self,
        outbox: Outbox,
        seal: Callable[[str, bytes], bytes],
        *,
        published: Callable[[Parcel], None],
        received: Callable[[str, bytes], None],
        rider: Rider | None = None,
    ) -> None:
        """Send what the outbox holds and hand over what comes down, until the session ends (SessionEnded)."""
        senders = [asyncio.create_task(self._send(outbox, seal, published)) for _ in range(IN_FLIGHT)]
        listener = asyncio.create_task(self._listen(received, rider))
        tasks = [listener, *senders]
        if rider is not None:
            tasks.append(asyncio.create_task(rider.ride(self)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except aiomqtt.MqttError as error:
            raise SessionEnded(_words(error)) from error
        finally:
            await end(*tasks)
            outbox.give_back()

    async def _send(
        self, outbox: Outbox, seal: Callable[[str, bytes], bytes], published: Callable[[Parcel], None]
    ) -> None:
        while True:
            parcel = await outbox.take(seal)
            await self.publish(f"d/{self._device}/up/{parcel.channel}", parcel.sealed)
            outbox.done(parcel)
            published(parcel)

    async def _listen(self, received: Callable[[str, bytes], None], rider: Rider | None) -> None:
        own = f"d/{self._device}/down/"
        async for message in self._client.messages:
            topic, payload = message.topic.value, bytes(message.payload)
            if topic.startswith(own):
                received(topic.removeprefix(own), payload)
            elif rider is not None:
                rider.received(topic, payload)


@asynccontextmanager
async def open_session(device: str, door: Door, riders_in_flight: int = 0) -> AsyncIterator[Session]:
    """Open a session under the device's id; raises BrokerUnreachable or BrokerRefused."""
    client = _Client(
        door.endpoint.host,
        door.endpoint.port,
        identifier=device,
        username=device if door.proof else None,
        password=door.proof() if door.proof else None,
        clean_session=True,
        tls_context=door.tls,
        keepalive=KEEPALIVE_S,
        timeout=ANSWER_S,
        max_inflight_messages=IN_FLIGHT + riders_in_flight,
        max_queued_incoming_messages=64 + riders_in_flight,
        logger=_paho_log,
    )
    await _enter(client, door)
    try:
        yield Session(client, device)
    finally:
        await _leave(client)


async def _enter(client: _Client, door: Door) -> None:
    entering = asyncio.create_task(client.__aenter__())
    try:
        # A thread opens the socket and cannot be stopped: let it end, then close what it got.
        await asyncio.shield(entering)
    except aiomqtt.MqttError as error:
        client.abandon()
        raise _refusal(error, door) from error
    except asyncio.CancelledError:
        entering.add_done_callback(lambda done: _discard(client, done))
        raise


def _discard(client: _Client, entered: "asyncio.Task[_Client]") -> None:
    if not entered.cancelled():
        entered.exception()
    client.abandon()


async def _leave(client: _Client) -> None:
    try:
        await client.__aexit__(None, None, None)
    except aiomqtt.MqttError as error:
        _log.debug("the session did not end cleanly: %s", error)
        client.abandon()


def _refusal(error: aiomqtt.MqttError, door: Door) -> BrokerRefused | BrokerUnreachable:
    where = f"the broker at {door.endpoint.host}:{door.endpoint.port} ({door.name})"
    code = error.rc if isinstance(error, MqttConnectError) else None
    if isinstance(code, ReasonCode) and code.value in _REFUSALS:
        return BrokerRefused(f"{where} refused this device")
    return BrokerUnreachable(f"{where} cannot be used: {_words(error)}", next_step="It is tried again.")


def _words(error: aiomqtt.MqttError) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, aiomqtt.MqttCodeError) and getattr(cause.rc, "value", cause.rc) == _NO_REASON_GIVEN:
        return "the broker ended it"
    return str(cause) or "the connection is gone"
