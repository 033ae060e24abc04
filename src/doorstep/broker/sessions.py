"""The ends of device sessions: told by the broker's events, or found out after we were away."""

import asyncio
import json
import logging
from typing import Final

from nats.aio.msg import Msg

from doorstep.broker.connection import Side
from doorstep.broker.registry import Ended, Registry
from doorstep.errors import UnavailableError
from doorstep.runtime.brokers import DEVICES_ACCOUNT, Broker
from doorstep.runtime.database import Connection
from doorstep.runtime.database_thread import DatabaseThread
from doorstep.runtime.role import now_us

__all__ = ["SessionBook"]

_log = logging.getLogger(__name__)

_DISCONNECTED: Final = f"$SYS.ACCOUNT.{DEVICES_ACCOUNT}.DISCONNECT"
_MOST_AT_ONCE: Final = 500
_RETRY_S: Final = 1.0

_SERVERS: Final = "SELECT DISTINCT server_id FROM device_session WHERE broker = ? AND ended_us IS NULL"


class SessionBook:
    """Writes the ends of sessions, many in one transaction."""

    def __init__(self, database: DatabaseThread, registry: Registry) -> None:
        self._database = database
        self._registry = registry
        self._ended: asyncio.Queue[Ended] = asyncio.Queue()

    async def follow(self, side: Side) -> None:
        """Listen to a broker from now on, and end the sessions that it no longer has."""

        async def disconnected(message: Msg) -> None:
            self._take(side.broker, message)

        await side.system.subscribe(_DISCONNECTED, cb=disconnected)
        await self.reconcile(side)

    async def write_for_ever(self) -> None:
        """Store what `follow` hears."""
        while True:
            batch = [await self._ended.get()]
            while len(batch) < _MOST_AT_ONCE and not self._ended.empty():
                batch.append(self._ended.get_nowait())
            await self._write(batch)

    async def _write(self, batch: list[Ended]) -> None:
        while True:
            try:
                return await self._database.run(lambda c: self._registry.end(c, batch))
            except UnavailableError as error:
                _log.warning("ends of sessions wait: %s", error.message)
                await asyncio.sleep(_RETRY_S)

    async def reconcile(self, side: Side) -> None:
        """End the sessions that a broker no longer has."""
        try:
            servers = await self._database.run(lambda c: _servers(c, side.broker))
            alive = {(server, number) for server in servers for number in await side.alive(server)}
            at = now_us()
            await self._database.run(lambda c: self._registry.end_all_but(c, side.broker, alive, at))
        except UnavailableError as error:
            _log.warning("sessions of the %s broker were not compared: %s", side.broker, error.message)

    def _take(self, broker: Broker, message: Msg) -> None:
        try:
            event = json.loads(message.data)
            gone = Ended(broker, event["server"]["id"], int(event["client"]["id"]), now_us())
        except (ValueError, KeyError, TypeError):
            _log.warning("the %s broker told of a disconnection in words we don't know", broker)
            return
        self._ended.put_nowait(gone)


def _servers(connection: Connection, broker: Broker) -> list[str]:
    return [server for (server,) in connection.query(_SERVERS, (broker,))]
