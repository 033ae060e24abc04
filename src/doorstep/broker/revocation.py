"""Makes "revoked" true at the brokers: sessions closed, reconnects refused, nothing left in a queue.

Reconnects are refused by the policy from the moment the revocation is committed. What ingest had fetched
already, ingest refuses, because it looks at the device in the transaction that stores.
"""

import asyncio
import hashlib
import json
import logging
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.broker.connection import Side
from doorstep.broker.streams import request
from doorstep.errors import UnavailableError
from doorstep.runtime.brokers import STREAM, Broker, partition_of
from doorstep.runtime.database import Connection
from doorstep.runtime.database_thread import DatabaseThread
from doorstep.runtime.role import now_us

__all__ = ["Enforcer", "Order"]

_log = logging.getLogger(__name__)

_RETAINED: Final = "$MQTT_rmsgs"
_SESSIONS: Final = "$MQTT_sess"
_UNRELEASED: Final = "$MQTT_qos2in"
_RELEASES: Final = "$MQTT_out"

_SETTLE_S: Final = 0.05
"""The broker stores beside the connection: what a device had sent when it was cut off lands within this."""
_MOST_PASSES: Final = 20

_OPEN: Final = (
    "SELECT r.id, r.kicked_us, d.id, d.device_id FROM revocation r JOIN device d ON d.id = r.device_id"
    " WHERE r.purged_us IS NULL AND (d.blocked = ? OR r.quarantine = ?) ORDER BY r.id LIMIT 100"
)
_SESSIONS_OF: Final = (
    "SELECT broker, server_id, client_id FROM device_session WHERE device_id = ? AND ended_us IS NULL"
)
_KICKED: Final = (
    "UPDATE revocation SET kicked_us = COALESCE(kicked_us, ?), sessions_kicked = sessions_kicked + ?"
    " WHERE id = ?"
)
_PURGED: Final = (
    "UPDATE revocation SET purged_us = COALESCE(purged_us, ?), messages_purged = messages_purged + ?"
    " WHERE id = ?"
)
_CHALLENGED: Final = (
    "SELECT id, device_id, asked_us FROM clone_challenge WHERE kicked_us IS NULL ORDER BY id LIMIT 100"
)
_OLDER_SESSIONS: Final = f"{_SESSIONS_OF} AND connected_us <= ?"
_CUT: Final = "UPDATE clone_challenge SET kicked_us = ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Order:
    """An open revocation."""

    revocation: int
    kicked: bool
    device: int
    device_id: str
    sessions: tuple[tuple[Broker, str, int], ...]


class Enforcer:
    """Carries out open revocations; what fails stays open and is tried again."""

    def __init__(self, database: DatabaseThread, sides: Sequence[Side]) -> None:
        self._database = database
        self._sides = {side.broker: side for side in sides}

    async def enforce(self) -> int:
        """Carry out everything that is open now; return how many were finished."""
        orders = await self._database.run(_read_orders)
        done = await asyncio.gather(*(self._carry_out(order) for order in orders), return_exceptions=True)
        for order, outcome in zip(orders, done, strict=True):
            if isinstance(outcome, UnavailableError):
                _log.warning("revocation of %s waits: %s", order.device_id, outcome.message)
            elif isinstance(outcome, BaseException):
                raise outcome
        await self._cut_challenged()
        return sum(outcome is None for outcome in done)

    async def _cut_challenged(self) -> None:
        """Close the sessions of devices that must renew; what they had sent stays."""
        for number, sessions in await self._database.run(_read_challenged):
            for broker, server, connection in sessions:
                await self._sides[broker].kick(server, connection)
            await self._note_cut(number, now_us())

    async def _note_cut(self, challenge: int, at_us: int) -> None:
        await self._database.run(lambda c: c.query(_CUT, (at_us, challenge)) and None)

    async def _carry_out(self, order: Order) -> None:
        if not order.kicked:
            kicked = [await self._sides[b].kick(server, number) for b, server, number in order.sessions]
            at, count = now_us(), sum(kicked)
            await self._database.run(lambda c: c.query(_KICKED, (at, count, order.revocation)) and None)
        purged = sum([await _purge_until_clean(side, order.device_id) for side in self._sides.values()])
        done = now_us()
        await self._database.run(lambda c: c.query(_PURGED, (done, purged, order.revocation)) and None)


def _read_orders(connection: Connection) -> list[Order]:
    return [
        Order(number, kicked is not None, device, device_id, _sessions(connection, device))
        # A quarantine may have ended before we came to it: then the device's messages are good.
        for number, kicked, device, device_id in connection.query(_OPEN, (True, False))
    ]


def _sessions(connection: Connection, device: int) -> tuple[tuple[Broker, str, int], ...]:
    rows = connection.query(_SESSIONS_OF, (device,))
    return tuple((Broker(broker), server, number) for broker, server, number in rows)


def _read_challenged(connection: Connection) -> list[tuple[int, tuple[tuple[Broker, str, int], ...]]]:
    found = []
    for number, device, asked_us in connection.query(_CHALLENGED):
        rows = connection.query(_OLDER_SESSIONS, (device, asked_us))
        found.append((number, tuple((Broker(broker), server, one) for broker, server, one in rows)))
    return found


async def _purge_until_clean(side: Side, device_id: str) -> int:
    """Purge until a pass finds nothing: the first one may overtake what was on its way, or a last will."""
    total = 0
    for number in range(_MOST_PASSES):
        found = await _purge(side, device_id)
        total += found
        if number and not found:
            return total
        await asyncio.sleep(_SETTLE_S)
    raise UnavailableError(f"something still arrives in the name of the revoked device {device_id}")


async def _purge(side: Side, device_id: str) -> int:
    session = _session_hash(device_id)
    everywhere = [
        (stream, f"{prefix}.{lane}")
        for lane in (f"u.{partition_of(device_id)}.{device_id}.>", f"d.{device_id}.>")
        for stream, prefix in ((STREAM, "$MQTT.msgs"), (_RETAINED, "$MQTT.rmsgs"))
    ]
    # QoS 2: what the device never released, and what it never confirmed to have got.
    everywhere += [
        (_UNRELEASED, f"$MQTT.qos2.in.{device_id}.>"),
        (_RELEASES, f"$MQTT.out.pubrel.{session}"),
    ]
    purged = sum([await _purge_subject(side, stream, subject) for stream, subject in everywhere])
    await _forget_session(side, device_id)
    return purged


async def _purge_subject(side: Side, stream: str, subject: str) -> int:
    answer = await request(side.devices, f"STREAM.PURGE.{stream}", {"filter": subject}, missing_ok=True)
    return int(answer.get("purged", 0))


async def _forget_session(side: Side, device_id: str) -> None:
    """Delete the device's persistent session and its consumers, which would go on collecting for it."""
    subject = f"$MQTT.sess.{_session_hash(device_id)}"
    found = await request(
        side.devices, f"STREAM.MSG.GET.{_SESSIONS}", {"last_by_subj": subject}, missing_ok=True
    )
    if "message" not in found:
        return
    session = json.loads(b64decode(found["message"]["data"]))
    for consumer in (session.get("cons") or {}).values():
        name = consumer.get("durable_name") or consumer.get("name")
        await request(side.devices, f"CONSUMER.DELETE.{STREAM}.{name}", missing_ok=True)
    await request(side.devices, f"STREAM.PURGE.{_SESSIONS}", {"filter": subject}, missing_ok=True)


def _session_hash(client_id: str) -> str:
    """Return the broker's short name for a client id; `tests/broker` checks it against the real one."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    digest = hashlib.sha256(client_id.encode()).digest()
    return "".join(alphabet[byte % len(alphabet)] for byte in digest[:8])
