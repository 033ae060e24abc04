"""The queue in the database: what is over, what is due, and the numbers under which it is sealed."""

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from doorstep.downlink.restored import clear
from doorstep.errors import VerificationFailed
from doorstep.messaging.command import OPEN_AT_ONCE, Command
from doorstep.messaging.delivery import OPEN, Delivery, DeliveryEvent, movable
from doorstep.messaging.envelope import MAX_SEQUENCE
from doorstep.messaging.sealer import seal_downlink
from doorstep.messaging.state import SealedState
from doorstep.ownership.life import Life
from doorstep.runtime.brokers import Broker
from doorstep.runtime.database import Connection
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed
from doorstep.runtime.secrets import KeyFile

__all__ = ["AT_ONCE", "TRIES", "Outgoing", "Queue", "pause_us"]

_log = logging.getLogger(__name__)

TRIES: Final = 8
"""How often a command is sent without an answer before the device has to show itself anew."""

AT_ONCE: Final = 200
"""Commands that one transaction numbers."""

_FIRST_PAUSE_US: Final = 2_000_000
_LONGEST_PAUSE_US: Final = 120_000_000
_SETTLE_US: Final = 200_000
"""A device that has just connected needs so long until it has subscribed."""
_HEARD_US: Final = 600_000_000
"""A device that no session shows is there for so long after it was heard."""
_LATE_US: Final = 10_000_000
"""What a session brought is stored so long after its end at the latest, mostly."""


def _listed(states: Sequence[Delivery]) -> str:
    return ", ".join(f"'{state}'" for state in states)  # our own words


_OPEN: Final = _listed(OPEN)
_ANY: Final = f"SELECT 1 FROM downlink WHERE state IN ({_OPEN}) LIMIT 1"
_OVER: Final = f"state IN ({_listed(movable(DeliveryEvent.EXPIRED))}) AND expires_us <= ?"
_ANY_OVER: Final = f"SELECT 1 FROM downlink WHERE {_OVER} LIMIT 1"
_EXPIRE: Final = f"UPDATE downlink SET state = '{Delivery.EXPIRED}', closed_us = ?, body = ? WHERE {_OVER}"
_ASTRAY: Final = (
    "SELECT l.id FROM downlink l JOIN device d ON d.id = l.device_id"
    f" WHERE l.state IN ({_listed(movable(DeliveryEvent.CANCELLED))})"
    f" AND (d.blocked OR d.life <> '{Life.OWNED}' OR d.ownership_period <> l.ownership_period)"
)
_WITHDRAW: Final = (
    f"UPDATE downlink SET state = '{Delivery.CANCELLED}', closed_us = ?, body = ?, detail = ? WHERE id = ?"
)
_HEARS: Final = (
    "n.ended_us IS NULL AND n.device_id IN (%s, (SELECT c.gateway_id FROM device c WHERE c.id = %s))"
)
"""The device's own sessions, and its gateway's."""
_HEARD: Final = (
    "(SELECT 0 FROM device b WHERE b.id = q.device_id AND b.last_seen_us > ? AND b.last_seen_us >"
    f" COALESCE((SELECT MAX(e.ended_us) FROM device_session e WHERE e.device_id = b.id), 0) + {_LATE_US})"
)
"""A device that is heard without a session: it is at a broker of the operator's own, which is bridged."""
_DUE: Final = (
    "SELECT l.id, l.command_id, l.channel, l.body, l.expires_us, l.newest, l.tries_here, l.tried_epoch,"
    f" l.tried_session, d.id, d.device_id, {', '.join(f's.{column}' for column in SEALED_COLUMNS)}"
    " FROM (SELECT q.*, COALESCE((SELECT MAX(n.id) FROM device_session n"
    f" WHERE {_HEARS % ('q.device_id', 'q.device_id')} AND n.connected_us <= ?), {_HEARD}) AS newest,"
    f" (SELECT MIN(o.number) FROM downlink o WHERE o.device_id = q.device_id AND o.state IN ({_OPEN}))"
    f" AS oldest FROM downlink q WHERE q.state IN ({_OPEN})) l"
    " JOIN device d ON d.id = l.device_id JOIN sealed_state s ON s.device_id = l.device_id"
    f" WHERE l.newest IS NOT NULL AND NOT d.blocked AND d.life = '{Life.OWNED}'"
    " AND d.ownership_period = l.ownership_period AND (l.expires_us IS NULL OR l.expires_us > ?)"
    f" AND l.number < l.oldest + {OPEN_AT_ONCE}"
    " AND (l.tried_session < l.newest OR l.tried_epoch <> s.epoch"
    f" OR (l.next_us <= ? AND l.tries_here < {TRIES}))"
    f" ORDER BY l.id LIMIT {AT_ONCE}"
)
_NUMBER: Final = (
    "INSERT INTO downlink_counter (device_id, epoch, next_seq, awaiting) VALUES (?, ?, 1, ?)"
    " ON CONFLICT (device_id)"
    " DO UPDATE SET next_seq = CASE WHEN excluded.epoch > downlink_counter.epoch THEN 1"
    " ELSE downlink_counter.next_seq + 1 END, epoch = excluded.epoch"
    " WHERE excluded.epoch >= downlink_counter.epoch RETURNING next_seq - 1"
)
_SENT: Final = (
    f"UPDATE downlink SET state = '{Delivery.SENT}', tries = tries + 1, tries_here = ?, tried_epoch = ?,"
    " tried_session = ?, next_us = ?, sent_us = COALESCE(sent_us, ?)"
    f" WHERE id = ? AND state IN ({_listed(movable(DeliveryEvent.SENT))}) RETURNING id"
)
_POSTPONE: Final = "UPDATE downlink SET tried_epoch = ?, tried_session = ?, next_us = ? WHERE id = ?"
_BROKERS: Final = f"SELECT DISTINCT n.broker FROM device_session n WHERE {_HEARS % ('?', '?')}"


class _Due(NamedTuple):
    """A row of _DUE."""

    row: int
    command_id: str
    channel: str
    body: bytes
    expires_us: int | None
    session: int
    tries_here: int
    tried_epoch: int
    tried_session: int
    device: int
    device_id: str
    sealed: SealedState


class Outgoing(NamedTuple):
    """A sealed message, and where the device listens."""

    device_id: str
    channel: str
    message: bytes
    brokers: tuple[Broker, ...]


def pause_us(tries_here: int) -> int:
    """Return how long to wait for an answer after so many tries."""
    return min(_FIRST_PAUSE_US << (tries_here - 1), _LONGEST_PAUSE_US)


class Queue:
    """Decides and records."""

    def __init__(self, key_file: KeyFile, restored_us: int = 0) -> None:
        self._key_file = key_file
        self._restored_us = restored_us

    def turn(self, connection: Connection, now_us: int) -> list[Outgoing]:
        """Close what is over, then take what is due."""
        self.close_overdue(connection, now_us)
        return self.take_due(connection, now_us)

    def close_overdue(self, connection: Connection, now_us: int) -> None:
        """Close what has expired, and what was meant for an owner that the device no longer has."""
        # A look takes no lock; most of the time there is nothing to write.
        if connection.query(_ANY_OVER, (now_us,)):
            with connection.transaction():
                connection.query(_EXPIRE, (now_us, b"", now_us))
        if connection.query(f"{_ASTRAY} LIMIT 1"):
            with connection.transaction():
                why = b"the device is revoked or has another owner"
                gone = [(now_us, b"", why, row) for (row,) in connection.query(_ASTRAY)]
                connection.execute_many(_WITHDRAW, gone)

    def take_due(self, connection: Connection, now_us: int) -> list[Outgoing]:
        """Seal what is due now, each message under a number that no other ever had or will have.

        Numbers and tries are durable when this returns; a crash before the send skips them.
        """
        if not connection.query(_ANY):
            return []
        due = connection.query(_DUE, (now_us - _SETTLE_US, now_us - _HEARD_US, now_us, now_us))
        if not due:
            return []
        with connection.transaction():
            sealed = [self._seal(connection, row, now_us) for row in due]
        return [outgoing for outgoing in sealed if outgoing is not None]

    def _seal(self, connection: Connection, row: tuple[Any, ...], now_us: int) -> Outgoing | None:
        try:
            due = self._read(row)
        except VerificationFailed as error:
            _log.error("a command for device %s can't be read: %s", row[10], error.message)
            epoch, session = row[11], row[5]
            connection.query(_POSTPONE, (epoch, session, now_us + _LONGEST_PAUSE_US, row[0]))
            return None
        epoch = due.sealed.current.epoch
        counted = self._number(connection, due.device, epoch)
        if counted is None:
            _log.warning("no number is left for device %s in epoch %d: it must boot", due.device_id, epoch)
            connection.query(_POSTPONE, (epoch, due.session, now_us + _LONGEST_PAUSE_US, due.row))
            return None
        anew = (due.tried_epoch, due.tried_session) != (epoch, due.session)
        tries = 1 if anew else due.tries_here + 1
        sent = (tries, epoch, due.session, now_us + pause_us(tries), now_us, due.row)
        if not connection.query(_SENT, sent):
            return None  # cancelled or answered since we looked
        found = connection.query(_BROKERS, (due.device, due.device))
        brokers = tuple(Broker(name) for (name,) in found) or tuple(Broker)
        message = seal_downlink(due.sealed, counted, f"down/{due.channel}".encode(), due.body)
        return Outgoing(due.device_id, due.channel, message, brokers)

    def _number(self, connection: Connection, device: int, epoch: int) -> int | None:
        """Take the device's next number; None when this epoch has none that is surely new."""
        if self._restored_us and not clear(connection, device, epoch, self._restored_us):
            return None
        counted = connection.query(_NUMBER, (device, epoch, False))
        number = counted[0][0] if counted else MAX_SEQUENCE + 1
        return int(number) if number <= MAX_SEQUENCE else None

    def _read(self, row: tuple[Any, ...]) -> _Due:
        number, command_id, channel, wrapped, expires_us, *_, device_id = row[:11]
        body = self._key_file.unwrap(bytes(wrapped), f"downlink/{device_id}/{command_id}")
        expires_s = 0 if expires_us is None else expires_us // 1_000_000
        plaintext = Command(bytes.fromhex(command_id), expires_s, body).encode()
        sealed = read_sealed(self._key_file, device_id, row[11:])
        return _Due._make((number, command_id, channel, plaintext, *row[4:11], sealed))
