"""The authorizer role: answers the brokers' questions, keeps sessions, carries out revocations.

No device can connect before this runs, so it makes the stream and its consumers ready first.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nats.aio.msg import Msg

from doorstep.broker import callout
from doorstep.broker.children import ChildrenWatch
from doorstep.broker.connection import Side, open_side
from doorstep.broker.nkeys import NatsKey
from doorstep.broker.policy import Admission, ConnectRequest
from doorstep.broker.processes import issuer_key, log_file
from doorstep.broker.registry import Registry, Verdict
from doorstep.broker.revocation import Enforcer
from doorstep.broker.sessions import SessionBook
from doorstep.broker.streams import make_ready
from doorstep.broker.violations import LogTail, read_violation
from doorstep.errors import DoorstepError, PeerError, UnavailableError
from doorstep.runtime.brokers import CONTROL_SUBJECT, Broker
from doorstep.runtime.database_thread import DatabaseThread
from doorstep.runtime.dead_letters import Letter
from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.role import beat_until, now_us, pause, serve_until, stop_on_signals
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

__all__ = ["run"]

_log = logging.getLogger(__name__)

_CALLOUT: Final = "$SYS.REQ.USER.AUTH"
_QUEUE: Final = "doorstep-authorizer"
_MOST_AT_ONCE: Final = 256
_POLL_S: Final = 0.5
_UNAVAILABLE: Final = "Doorstep can't look the device up now; try again"


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    state = StateFolder.open(settings.state)
    key_file = KeyFile.open(state.key_file)
    stop = stop_on_signals()
    database = DatabaseThread(settings, state, "authorizer")
    authorizer = _Authorizer(settings, state, database, Registry(key_file), issuer_key(key_file))
    try:
        await serve_until(stop, authorizer.serve(key_file, stop))
    finally:
        await authorizer.close()
        database.close()


@dataclass(slots=True)
class _Authorizer:
    settings: Settings
    state: StateFolder
    database: DatabaseThread
    registry: Registry
    key: NatsKey
    sides: list[Side] = field(default_factory=list)
    questions: "asyncio.Queue[tuple[ConnectRequest, Msg]]" = field(default_factory=asyncio.Queue)
    nudged: asyncio.Event = field(default_factory=asyncio.Event)
    admitted: int = 0
    refused: int = 0

    async def serve(self, key_file: KeyFile, stop: asyncio.Event) -> None:
        book = SessionBook(self.database, self.registry)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._judge_for_ever())
            for broker in Broker:
                await self._open(key_file, broker, book)
            heartbeat = Heartbeat(self.state, "authorizer")
            tasks.create_task(beat_until(stop, heartbeat, self._figures))
            tasks.create_task(book.write_for_ever())
            tasks.create_task(self._enforce_for_ever())
            tasks.create_task(self._watch_logs(stop))

    async def close(self) -> None:
        for side in self.sides:
            await side.close()

    async def _open(self, key_file: KeyFile, broker: Broker, book: SessionBook) -> None:
        async def compare_sessions() -> None:
            await book.reconcile(side)

        side = await open_side(self.settings, key_file, broker, compare_sessions)
        self.sides.append(side)
        await make_ready(side.devices, self.settings.stream_max_bytes)
        await book.follow(side)

        async def ask(message: Msg) -> None:
            self._take(broker, message)

        async def nudge(_: Msg) -> None:
            self.nudged.set()

        await side.devices.subscribe(CONTROL_SUBJECT, cb=nudge)
        await side.auth.subscribe(_CALLOUT, queue=_QUEUE, cb=ask)

    def _take(self, broker: Broker, message: Msg) -> None:
        try:
            self.questions.put_nowait((callout.read_request(broker, message.data), message))
        except PeerError as error:
            _log.warning("%s broker: %s", broker, error.message)

    async def _judge_for_ever(self) -> None:
        while True:
            batch = [await self.questions.get()]
            while len(batch) < _MOST_AT_ONCE and not self.questions.empty():
                batch.append(self.questions.get_nowait())
            await self._judge(batch)

    async def _judge(self, batch: list[tuple[ConnectRequest, Msg]]) -> None:
        """One transaction for all; when it fails, one each, so that nobody suffers for another's row."""
        now = now_us()
        requests = [request for request, _ in batch]
        try:
            verdicts = await self.database.run(lambda c: self.registry.judge(c, requests, now))
        except DoorstepError as error:
            if len(batch) > 1:
                for one in batch:
                    await self._judge([one])
                return
            _log.warning("a connection was refused unseen: %s", error.message)
            request, message = batch[0]
            await message.respond(callout.refused(request, self.key, now, _UNAVAILABLE))
            return
        for (request, message), verdict in zip(batch, verdicts, strict=True):
            await message.respond(self._answer(request, verdict, now))

    def _answer(self, request: ConnectRequest, verdict: Verdict, now: int) -> bytes:
        if isinstance(verdict, Admission):
            self.admitted += 1
            return callout.admitted(request, verdict, self.key, now)
        self.refused += 1
        return callout.refused(request, self.key, now, verdict.message)

    async def _enforce_for_ever(self) -> None:
        """Do what was decided elsewhere: end sessions that may do too much, carry out revocations."""
        watch, enforcer = ChildrenWatch(self.database, self.sides), Enforcer(self.database, self.sides)
        said = ""
        while True:
            self.nudged.clear()
            waits_for = ""
            try:
                await watch.enforce()
                await enforcer.enforce()
            except UnavailableError as error:
                waits_for = error.message
            # Twice a second the same words would fill the log of a long outage.
            if waits_for and waits_for != said:
                _log.warning("revocations wait: %s", waits_for)
            said = waits_for
            await pause(self.nudged, _POLL_S)

    async def _watch_logs(self, stop: asyncio.Event) -> None:
        """Record publishes that a broker acknowledged and dropped: only its log tells of them."""
        tails = [LogTail(log_file(self.state, side.broker)) for side in self.sides]
        unwritten: list[Letter] = []
        while not stop.is_set():
            found = [read_violation(line, now_us()) for tail in tails for line in tail.new_lines()]
            unwritten += [letter for letter in found if letter is not None]
            if unwritten:
                unwritten = await self._record(unwritten)
            await pause(stop, _POLL_S)

    async def _record(self, letters: list[Letter]) -> list[Letter]:
        try:
            await self.database.run(lambda c: self.registry.record(c, letters))
        except UnavailableError as error:
            _log.warning("forbidden publishes wait to be recorded: %s", error.message)
            return letters[-_MOST_AT_ONCE:]
        return []

    def _figures(self) -> Mapping[str, float | str]:
        return {"admitted": self.admitted, "refused": self.refused}
