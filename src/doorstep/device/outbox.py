"""What waits to be sent: bounded, in order, on the disk, until the broker has acknowledged it.

A parcel is sealed when it is sent first and keeps those bytes, over a reconnect and over a restart: sent
again it is the same message, which the platform stores once. The platform opens them, for they leave before
anything of a later epoch, and until then it keeps their epoch's keys (docs/spec/sealed.md, S-15).
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doorstep.errors import RefusedError

__all__ = ["CAPACITY", "Outbox", "OutboxFull", "Parcel"]

CAPACITY: Final = 10_000
"""Parcels held; a longer outage refuses new readings instead of forgetting old ones."""

_BUSY_S: Final = 0.2
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS parcel (number INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL,"
    " plaintext BLOB NOT NULL, sealed BLOB NOT NULL DEFAULT x'')"
)


class OutboxFull(RefusedError):
    """The outbox takes nothing more until the broker acknowledged something."""


@dataclass(slots=True, eq=False)
class Parcel:
    """One message of a channel such as ``data``."""

    number: int
    channel: str
    plaintext: bytes = field(repr=False)
    sealed: bytes = field(default=b"", repr=False)
    """Empty until it was sent first."""


class Outbox:
    """First in, first out. ``take`` lends a parcel; it is done or given back.

    With a ``file`` it is there again after a restart, a kill or a power cut; without one it is in memory.
    """

    def __init__(self, capacity: int = CAPACITY, file: Path | None = None) -> None:
        self.capacity = capacity
        self._disk = _memory() if file is None else _open(file)
        self._waiting = deque(
            number for (number,) in self._disk.execute("SELECT number FROM parcel ORDER BY 1")
        )
        self._lent: dict[Parcel, None] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._lent)

    def offer(self, channel: str, plaintext: bytes) -> None:
        """Take a message, or raise OutboxFull and keep what is there; it is durable when this returns."""
        if len(self) >= self.capacity:
            raise OutboxFull(
                f"{self.capacity} messages wait for the broker, so a new one was refused",
                next_step="Check the device's network and the platform; it goes on by itself.",
            )
        try:
            row = self._disk.execute(
                "INSERT INTO parcel (channel, plaintext) VALUES (?, ?) RETURNING number", (channel, plaintext)
            ).fetchone()
        except sqlite3.OperationalError as error:
            raise OutboxFull(
                f"the outbox can't be written, so a new message was refused: {error}",
                next_step="Make room on the device's disk; it goes on by itself.",
            ) from error
        self._waiting.append(row[0])
        self._filled.set()

    async def take(self, seal: Callable[[str, bytes], bytes]) -> Parcel:
        """Wait for the next parcel; ``seal`` is called if it was never sent."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        number = self._waiting[0]
        row = self._disk.execute(
            "SELECT number, channel, plaintext, sealed FROM parcel WHERE number = ?", (number,)
        ).fetchone()
        parcel = Parcel(*row)
        if not parcel.sealed:
            parcel.sealed = seal(parcel.channel, parcel.plaintext)
            self._disk.execute("UPDATE parcel SET sealed = ? WHERE number = ?", (parcel.sealed, number))
        self._waiting.popleft()
        self._lent[parcel] = None
        return parcel

    def done(self, parcel: Parcel) -> None:
        """Forget a parcel that the broker acknowledged."""
        del self._lent[parcel]
        self._disk.execute("DELETE FROM parcel WHERE number = ?", (parcel.number,))

    def give_back(self) -> None:
        """Put what was lent back in front, in its order: the session ended before it was acknowledged."""
        self._waiting.extendleft(parcel.number for parcel in reversed(self._lent))
        self._lent.clear()
        if self._waiting:
            self._filled.set()

    def clear(self) -> None:
        """Forget what waits: it was measured for an owner that the device no longer has."""
        self._disk.executemany("DELETE FROM parcel WHERE number = ?", [(number,) for number in self._waiting])
        self._waiting.clear()

    def forget_seals(self) -> None:
        """Seal what waits anew when it is taken: the keys of the epochs that it was sealed in are gone."""
        self._disk.execute("UPDATE parcel SET sealed = x''")

    def close(self) -> None:
        """Let go of the file; what is in it stays."""
        self._disk.close()


def _memory() -> sqlite3.Connection:
    disk = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    disk.execute(_TABLE)
    return disk


def _open(file: Path) -> sqlite3.Connection:
    """Open or make the file; one that can't be read is put aside, for a person to look at."""
    try:
        return _connect(file)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        file.replace(file.with_name(f"{file.name}.damaged"))
        return _connect(file)


def _connect(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600)
    disk = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        disk.execute("PRAGMA journal_mode = WAL")
        # Each commit reaches the medium: a reading that was taken survives the plug.
        disk.execute("PRAGMA synchronous = FULL")
        disk.execute(_TABLE)
        disk.execute("SELECT count(*) FROM parcel")
    except BaseException:
        disk.close()
        raise
    return disk
