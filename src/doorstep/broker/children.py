"""Whose messages a gateway may carry, and the end of sessions that know an older answer.

A broker fixes what a session may do when it begins. So a session is closed as soon as its children are not
what the tables say now, whatever changed them: the owner, a revocation, a transfer. The gateway comes back.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from doorstep.broker.connection import Side
from doorstep.ownership.standing import Standing
from doorstep.runtime.brokers import Broker
from doorstep.runtime.database import Connection
from doorstep.runtime.database_thread import DatabaseThread

__all__ = ["Child", "ChildrenWatch", "as_text", "children_of"]

_log = logging.getLogger(__name__)

_CHILDREN: Final = (
    "SELECT c.id, c.device_id FROM device c JOIN device g ON g.id = c.gateway_id"
    " WHERE g.id = ? AND c.owner_id = g.owner_id AND c.life = 'owned' AND c.blocked = ?"
    f" AND c.standing <> '{Standing.QUARANTINED}' ORDER BY c.id"
)
_SESSION: Final = (
    "SELECT s.device_id, s.server_id, s.client_id, s.children FROM device_session s"
    f" WHERE s.ended_us IS NULL AND s.broker = '{Broker.SECURE}'"
)
_GATEWAYS: Final = (
    f"{_SESSION} AND s.children <> '' UNION"
    f" {_SESSION} AND s.device_id IN (SELECT gateway_id FROM device WHERE gateway_id IS NOT NULL)"
)


class Child(NamedTuple):
    """A device that a gateway may speak for."""

    row: int
    device_id: str


class _Session(NamedTuple):
    device: int
    server_id: str
    connection: int
    children: str


def children_of(connection: Connection, gateway: int) -> list[Child]:
    """Return the children that a gateway may speak for now: owned by its owner, and not blocked."""
    return [Child(*row) for row in connection.query(_CHILDREN, (gateway, False))]


def as_text(children: Iterable[Child]) -> str:
    """Return how a session's row names its children."""
    return ",".join(str(child.row) for child in children)


class ChildrenWatch:
    """Compares the sessions of gateways with the tables."""

    def __init__(self, database: DatabaseThread, sides: Sequence[Side]) -> None:
        self._database = database
        self._sides = {side.broker: side for side in sides}

    async def enforce(self) -> int:
        """Close the sessions that know other children than the tables; return how many those were."""
        stale = await self._database.run(_stale)
        for session in stale:
            await self._sides[Broker.SECURE].kick(session.server_id, session.connection)
            _log.info("a gateway's session was closed: its children changed")
        return len(stale)


def _stale(connection: Connection) -> list[_Session]:
    sessions = [_Session(*row) for row in connection.query(_GATEWAYS)]
    now = {gateway: as_text(children_of(connection, gateway)) for gateway in {s.device for s in sessions}}
    return [session for session in sessions if session.children != now[session.device]]
