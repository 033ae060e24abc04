"""What a gateway has taken and the platform has not: on disk, in order of arrival, bounded.

The oldest leaves first, by being delivered. When there is no room, the newest is refused and its sender keeps
it: what was acknowledged is never dropped to make room.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeVar

from doorstep.errors import MisuseError, UnavailableError

__all__ = [
    "LEAST_ROOM",
    "MAX_BYTES",
    "MAX_CHILD_BYTES",
    "Limits",
    "Parcel",
    "Store",
    "StoreFull",
    "Stored",
    "open_store",
]

MAX_BYTES: Final = 256 * 1024 * 1024
"""Bytes stored for all children together."""

MAX_CHILD_BYTES: Final = 32 * 1024 * 1024
"""Bytes stored for one child, so that one that floods leaves room for the others."""

LEAST_ROOM: Final = 16 * 1024 * 1024
"""Free bytes of the disk below which nothing is taken: deleting what was delivered needs some, too."""

_ROW_BYTES: Final = 64
"""What a message costs beside itself."""

_TABLES: Final = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS child (device TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parked (device TEXT PRIMARY KEY, since_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stored (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL, channel TEXT NOT NULL, message BLOB NOT NULL, received_us INTEGER NOT NULL
);
"""
_PUT: Final = "INSERT INTO stored (device, channel, message, received_us) VALUES (?, ?, ?, ?)"
_AFTER: Final = (
    "SELECT number, device, channel, message, received_us FROM stored"
    " WHERE number > ? ORDER BY number LIMIT ?"
)
_SIZES: Final = "SELECT device, SUM(LENGTH(message) + ?) FROM stored GROUP BY device"


_T = TypeVar("_T")


class StoreFull(UnavailableError):
    """There is no room for another message; its sender keeps it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is stored at most."""

    all: int = MAX_BYTES
    child: int = MAX_CHILD_BYTES
    room: int = LEAST_ROOM


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message of a child's channel, as it came."""

    device: str
    channel: str
    message: bytes = field(repr=False)
    received_us: int

    @property
    def size(self) -> int:
        """What it costs on disk."""
        return len(self.message) + _ROW_BYTES


@dataclass(frozen=True, slots=True)
class Stored:
    """A parcel with its place in the order of arrival."""

    number: int
    parcel: Parcel


class Store:
    """One SQLite file. Each call is one transaction, durable when it returns."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._folder = path.parent
        self._room = limits.room
        self._raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._raw.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def write(self, parcels: Sequence[Parcel], delivered: Iterable[int]) -> None:
        """Take parcels, in their order, and forget delivered numbers.

        Raises StoreFull when the disk has no room for parcels, and then none is taken.
        """
        self._forget(delivered)
        if not parcels:
            return
        if shutil.disk_usage(self._folder).free < self._room:
            raise StoreFull(
                "the gateway's disk is full", next_step="Make room on it; senders keep their own."
            )
        rows = [(p.device, p.channel, p.message, p.received_us) for p in parcels]
        self._in_one(lambda: self._raw.executemany(_PUT, rows))

    def after(self, number: int, limit: int) -> list[Stored]:
        """Return what follows ``number`` in the order of arrival."""
        found = self._raw.execute(_AFTER, (number, limit)).fetchall()
        return [Stored(row[0], Parcel(row[1], row[2], bytes(row[3]), row[4])) for row in found]

    def sizes(self) -> dict[str, int]:
        """Return what is stored for each child, in bytes."""
        return dict(self._raw.execute(_SIZES, (_ROW_BYTES,)).fetchall())

    def children(self) -> set[str]:
        """Return the devices that the platform named as children."""
        return {device for (device,) in self._raw.execute("SELECT device FROM child")}

    def parked(self) -> dict[str, int]:
        """Return the devices that are no children now and whose messages are kept, and since when."""
        return dict(self._raw.execute("SELECT device, since_us FROM parked").fetchall())

    def keep_child(self, device: str) -> None:
        """Remember a child."""

        def keep() -> None:
            self._raw.execute("DELETE FROM parked WHERE device = ?", (device,))
            self._raw.execute("INSERT INTO child VALUES (?) ON CONFLICT DO NOTHING", (device,))

        self._in_one(keep)

    def park_child(self, device: str, since_us: int) -> None:
        """Remember that a device is no child now; what is stored for it stays."""

        def park() -> None:
            self._raw.execute("DELETE FROM child WHERE device = ?", (device,))
            self._raw.execute("INSERT INTO parked VALUES (?, ?) ON CONFLICT DO NOTHING", (device, since_us))

        self._in_one(park)

    def drop_child(self, device: str) -> int:
        """Forget a child and delete what is stored for it; return how many messages that were."""

        def drop() -> int:
            self._raw.execute("DELETE FROM child WHERE device = ?", (device,))
            self._raw.execute("DELETE FROM parked WHERE device = ?", (device,))
            return self._raw.execute("DELETE FROM stored WHERE device = ?", (device,)).rowcount

        return self._in_one(drop)

    def _forget(self, numbers: Iterable[int]) -> None:
        rows = [(number,) for number in numbers]
        if rows:
            self._in_one(lambda: self._raw.executemany("DELETE FROM stored WHERE number = ?", rows))

    def _in_one(self, work: Callable[[], _T]) -> _T:
        try:
            self._raw.execute("BEGIN IMMEDIATE")
            done = work()
            self._raw.execute("COMMIT")
        except sqlite3.Error as error:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
            raise StoreFull(
                f"the gateway can't store: {error}", next_step="Check its disk; senders keep their own."
            ) from error
        return done


def open_store(folder: Path, limits: Limits) -> Store:
    """Open the store of a gateway's state folder; raises MisuseError for a file that is none."""
    path = folder / "gateway.sqlite"
    try:
        return Store(path, limits)
    except sqlite3.Error as error:
        raise MisuseError(
            f"{path} can't be used: {error}",
            next_step="Mend its disk or permissions. Deleting it loses what was not delivered yet.",
        ) from error
