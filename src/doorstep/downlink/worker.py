"""The downlink role: takes what is due out of the queue and publishes it where the device listens."""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from doorstep.downlink.queue import AT_ONCE, Outgoing, Queue
from doorstep.downlink.restored import notice_restore
from doorstep.errors import UnavailableError
from doorstep.runtime.broker_client import open_client
from doorstep.runtime.brokers import DOWNLINK_SUBJECT, Broker, User
from doorstep.runtime.database_thread import DatabaseThread
from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.role import beat_until, now_us, pause, serve_until, stop_on_signals
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

__all__ = ["run"]

_log = logging.getLogger(__name__)

_ROLE: Final = "downlink"
_MARK_FILE: Final = "downlink.mark"
_POLL_S: Final = 0.5


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raise MisuseError beside another one on this state folder."""
    state = StateFolder.open(settings.state)
    with state.locked(f"role {_ROLE}"):
        asyncio.run(_serve(settings, state))


async def _serve(settings: Settings, state: StateFolder) -> None:
    key_file = KeyFile.open(state.key_file)
    stop = stop_on_signals()
    database = DatabaseThread(settings, state, _ROLE)
    worker = _Worker(database, Queue(key_file))
    try:
        await serve_until(stop, worker.serve(settings, key_file, state, stop))
    finally:
        await worker.close()
        database.close()


@dataclass(slots=True)
class _Worker:
    database: DatabaseThread
    queue: Queue
    clients: dict[Broker, NatsClient] = field(default_factory=dict)
    nudged: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    waits_for: str = ""

    async def serve(
        self, settings: Settings, key_file: KeyFile, state: StateFolder, stop: asyncio.Event
    ) -> None:
        for broker in Broker:
            client = await open_client(settings, key_file, broker, User.INGEST, role=_ROLE)
            await client.subscribe(DOWNLINK_SUBJECT, cb=self._nudge)
            self.clients[broker] = client
        await self._look_back(state.root / _MARK_FILE, key_file)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(beat_until(stop, Heartbeat(state, _ROLE), self._figures))
            tasks.create_task(self._send_for_ever())

    async def _look_back(self, mark: Path, key_file: KeyFile) -> None:
        """Learn whether numbers may have been used that the database does not know of."""
        fresh = os.urandom(16).hex()
        restored_us = await self.database.run(lambda c: notice_restore(c, mark, fresh, now_us()))
        self.queue = Queue(key_file, restored_us)

    async def close(self) -> None:
        for client in self.clients.values():
            await client.close()

    async def _nudge(self, _: Msg) -> None:
        self.nudged.set()

    async def _send_for_ever(self) -> None:
        said = ""
        while True:
            self.nudged.clear()
            self.waits_for = ""
            try:
                await self._send_due()
            except UnavailableError as error:
                self.waits_for = error.message
            if self.waits_for and self.waits_for != said:
                _log.warning("commands wait: %s", self.waits_for)
            said = self.waits_for
            await pause(self.nudged, _POLL_S)

    async def _send_due(self) -> None:
        taken = AT_ONCE
        while taken == AT_ONCE:
            outgoing = await self.database.run(partial(self.queue.turn, now_us=now_us()))
            for one in outgoing:
                await self._publish(one)
            taken = len(outgoing)

    async def _publish(self, one: Outgoing) -> None:
        """Hand it to the broker. What gets lost from here on is sent again: nobody has answered it."""
        for broker in one.brokers:
            try:
                await self.clients[broker].publish(f"d.{one.device_id}.down.{one.channel}", one.message)
            except NatsError as error:
                _log.warning("the %s broker took no command: %s", broker, type(error).__name__)
        self.sent += 1

    def _figures(self) -> Mapping[str, float | str]:
        return {"sent": self.sent, "waits_for": self.waits_for}
