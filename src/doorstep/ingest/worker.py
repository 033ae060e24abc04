"""The ingest role: durable stream in, verified messages out, each stored exactly once."""

import asyncio
import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from doorstep.ingest.batch import Batch
from doorstep.ingest.opening import Opening
from doorstep.ingest.pump import Processor, Pump
from doorstep.ingest.reader import Fetched, Reader
from doorstep.ingest.store_postgres import PostgresSink
from doorstep.ingest.store_sqlite import SqliteSink
from doorstep.runtime.brokers import Broker, User, link
from doorstep.runtime.database_thread import DatabaseThread
from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.loop import run_loop
from doorstep.runtime.role import beat_until, now_us, pause, stop_on_signals
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

if TYPE_CHECKING:
    from doorstep.ingest.sink import Sink

__all__ = ["SealedProcessor", "run", "serve"]

_PULL: int = 2_000
_READY_STEP_S = 0.05


class SealedProcessor:
    """Opens sealed messages and stores them; see Processor."""

    def __init__(self, settings: Settings, state: StateFolder, key_file: KeyFile) -> None:
        self._database = DatabaseThread(settings, state, "ingest")
        self._sink: Sink[Any] = SqliteSink() if settings.embedded_database else PostgresSink()
        self._opening = Opening(key_file)
        self._stored = 0
        self._refused = 0

    async def open(self, messages: Sequence[Fetched]) -> Batch:
        """See Processor."""
        unknown = self._opening.unknown(messages)
        if unknown:
            self._opening.learn(await self._database.run(lambda c: self._sink.load(c, unknown)))
        if boards := self._opening.legacy.missing():
            self._opening.legacy.learn(await self._database.run(lambda c: self._sink.load_boards(c, boards)))
        return self._opening.open(messages, now_us())

    async def store(self, batch: Batch) -> None:
        """See Processor."""
        await self._database.run(lambda c: self._sink.store(c, batch))
        self._stored += len(batch.rows)
        self._refused += len(batch.letters)

    async def forget(self) -> None:
        """See Processor."""
        self._opening.forget()
        await self._database.run(lambda c: c.query("SELECT 1"))

    def figures(self) -> Mapping[str, float | str]:
        """Return what the heartbeat shows."""
        return {"stored": self._stored, "refused": self._refused, "duplicates": self._sink.duplicates}

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raise MisuseError beside another worker on this state folder."""
    state = StateFolder.open(settings.state)
    key_file = KeyFile.open(state.key_file)
    # Two workers on one consumer would acknowledge what the other has fetched and not stored.
    with state.locked("role ingest"):
        processor = SealedProcessor(settings, state, key_file)
        try:
            run_loop(serve(settings, state, key_file, processor, processor.figures))
        finally:
            processor.close()


async def serve(
    settings: Settings,
    state: StateFolder,
    key_file: KeyFile,
    processor: Processor,
    figures: Callable[[], Mapping[str, float | str]],
) -> None:
    """Pump messages of both brokers through a processor until a signal; the process is this role's alone."""
    # Thousands of short-lived tuples a second would start the cycle collector all the time, for nothing.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    stop = stop_on_signals()
    arrived = asyncio.Event()
    readers = [Reader(link(settings, key_file, broker, User.INGEST), arrived, _PULL) for broker in Broker]
    pump = Pump(readers, arrived, processor)

    def all_figures() -> Mapping[str, float | str]:
        own: dict[str, float | str] = {
            "taken": pump.taken,
            "waits_for": pump.waits_for,
            "cpu_s": time.process_time(),
        }
        return {**figures(), **own}

    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(reader.keep_connected()) for reader in readers]
        working.append(tasks.create_task(pump.run()))
        while not stop.is_set() and not all(reader.connected for reader in readers):
            await pause(stop, _READY_STEP_S)
        await beat_until(stop, Heartbeat(state, "ingest"), all_figures)
        for task in working:
            task.cancel()
