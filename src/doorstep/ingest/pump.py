"""The loop: fetch, open, store, acknowledge. At most one batch is being stored while the next is opened."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from doorstep.errors import UnavailableError
from doorstep.ingest.batch import Batch
from doorstep.ingest.reader import Fetched, Reader, Taken
from doorstep.ingest.sink import StaleDevices

__all__ = ["BATCH", "LINGER_S", "Processor", "Pump"]

_log = logging.getLogger(__name__)

BATCH: Final = 4_000
"""Messages that are worth storing without waiting for more."""
LINGER_S: Final = 0.1
"""How long a message waits for company."""

_STEP_S: Final = 0.01
_BACK_OFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Processor(Protocol):
    """Opens and stores. Everything it keeps in memory goes with `forget`."""

    async def open(self, messages: Sequence[Fetched]) -> Batch:
        """Return what the messages are; raise UnavailableError."""

    async def store(self, batch: Batch) -> None:
        """Make the batch durable; raise UnavailableError or StaleDevices, then nothing of it is stored."""

    async def forget(self) -> None:
        """Begin again from what is stored; raise UnavailableError when that can't be read now."""


class Pump:
    """Moves messages from the brokers into the database. Nothing is acknowledged before it is durable."""

    def __init__(self, readers: Sequence[Reader], arrived: asyncio.Event, processor: Processor) -> None:
        self._readers = readers
        self._arrived = arrived
        self._processor = processor
        self.taken = 0
        self.waits_for = ""
        """Why nothing is stored now, in words; empty when all is well."""

    async def run(self) -> None:
        """Work until cancelled. Whatever fails, messages stay in the brokers, and devices feel it last."""
        failures = 0
        while True:
            try:
                await self._run_until_failure()
            except StaleDevices as error:
                _log.info("opening again: %s", error.message)
            except UnavailableError as error:
                self.waits_for = error.message
                _log.warning("nothing is stored, all is kept: %s", error.message)
            failures = await self._recover(failures)

    async def _recover(self, failures: int) -> int:
        """Drop what was fetched, wait for the database, fetch again from the last acknowledgement."""
        while True:
            for reader in self._readers:
                reader.disconnect()
            try:
                await self._processor.forget()
            except UnavailableError as error:
                self.waits_for = error.message
                await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
                failures += 1
            else:
                return 0

    async def _run_until_failure(self) -> None:
        storing: asyncio.Task[None] | None = None
        try:
            while True:
                await self._gather(storing)
                taken = [reader.take() for reader in self._readers]
                messages = [message for part in taken for message in part.messages]
                if not messages:
                    continue
                batch = await self._processor.open(messages)
                if storing is not None:
                    await storing
                storing = asyncio.create_task(self._store(batch, taken, len(messages)))
                storing.add_done_callback(lambda _: self._arrived.set())
        finally:
            if storing is not None:
                await asyncio.wait({storing})

    async def _gather(self, storing: asyncio.Task[None] | None) -> None:
        """Wait for the first message, then a little for its company; raise what storing failed with."""
        while True:
            self._arrived.clear()
            if storing is not None and storing.done():
                storing.result()
            for reader in self._readers:
                reader.renew()
            if self._waiting():
                break
            await self._arrived.wait()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LINGER_S
        while self._waiting() < BATCH and loop.time() < deadline:  # noqa: ASYNC110 - a step is long enough
            await asyncio.sleep(_STEP_S)

    def _waiting(self) -> int:
        return sum(reader.waiting for reader in self._readers)

    async def _store(self, batch: Batch, taken: Sequence[Taken], count: int) -> None:
        await self._processor.store(batch)
        for subject, payload in batch.answers:
            for reader in self._readers:  # the board is at one of them
                reader.say(subject, payload)
        for part in taken:
            part.acknowledge()
        self.taken += count
        self.waits_for = ""
