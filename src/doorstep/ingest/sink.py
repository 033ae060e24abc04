"""Where batches go: the port, and what both databases do alike."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from doorstep.errors import DoorstepError
from doorstep.ingest import aside
from doorstep.ingest.batch import Batch, DeviceRow, Suspect
from doorstep.messaging.state import StoredState
from doorstep.runtime.database import Connection
from doorstep.runtime.dead_letters import DeadLetters
from doorstep.runtime.sealed_rows import SEALED_COLUMNS

__all__ = ["MESSAGE_COLUMNS", "PROGRESS_COLUMNS", "Sink", "SqlSink", "StaleDevices", "chunks"]

MESSAGE_COLUMNS: Final = (
    "device_id",
    "epoch",
    "seq",
    "channel",
    "received_us",
    "ownership_period",
    "reading_count",
    "payload",
)
PROGRESS_COLUMNS: Final = ("seq_high", "window_bits", "previous_seq_high", "previous_window_bits")

_AT_ONCE: Final = 500
_SEEN_EVERY_US: Final = 1_000_000

_ConnectionType = TypeVar("_ConnectionType", bound=Connection)
_Item = TypeVar("_Item")
_Connection_contra = TypeVar("_Connection_contra", bound=Connection, contravariant=True)

_LOAD: Final = (
    "SELECT d.id, d.device_id, d.blocked, d.life, d.generation, d.ownership_period,"
    f" {', '.join(f's.{column}' for column in SEALED_COLUMNS)}"
    " FROM device d LEFT JOIN sealed_state s ON s.device_id = d.id WHERE d.device_id IN (%s)"
)
_SAVE_STATE: Final = (
    f"UPDATE sealed_state SET {', '.join(f'{column} = ?' for column in SEALED_COLUMNS)} WHERE device_id = ?"
)
_STORED: Final = "SELECT device_id, epoch, seq FROM message WHERE (device_id, epoch, seq) IN (VALUES %s)"


class StaleDevices(DoorstepError):
    """Devices changed (blocked, handed over, new keys) since their messages were opened; nothing stored."""


class Sink(Protocol[_Connection_contra]):
    """Stores batches. `tests/ingest/test_sinks.py` says what every one of them must do."""

    duplicates: int
    """Repeats of stored messages that were dropped so far."""

    def load(self, connection: _Connection_contra, device_ids: Sequence[str]) -> list[DeviceRow]:
        """Return those of the named devices that exist."""

    def store(self, connection: _Connection_contra, batch: Batch) -> None:
        """Store a batch, all or nothing, durable when this returns; raise StaleDevices."""


class SqlSink(ABC, Generic[_ConnectionType]):
    """Loading, checking and refusals in the SQL that both databases share."""

    def __init__(self) -> None:
        self.duplicates = 0
        self._letters = DeadLetters()
        self._seen_us: dict[int, int] = {}

    def load(self, connection: _ConnectionType, device_ids: Sequence[str]) -> list[DeviceRow]:
        """See Sink."""
        rows: list[DeviceRow] = []
        for some in chunks(device_ids):
            sql = _LOAD % ", ".join("?" * len(some))
            rows += [_device(row) for row in connection.query(sql, some)]
        return rows

    def store(self, connection: _ConnectionType, batch: Batch) -> None:
        """See Sink."""
        try:
            with connection.transaction():
                self._refuse_stale(connection, batch)
                self._insert_messages(connection, batch)
                aside.write(connection, batch.asides)
                self._save_progress(connection, batch)
                states = [(*state, device) for device, state in batch.states.items()]
                connection.execute_many(_SAVE_STATE, states)
                self._mark_seen(connection, batch)
                letters = batch.letters + self._not_stored(connection, batch.suspects)
                self._letters.write(connection, letters)
        except BaseException:
            self._letters.forget()
            self._seen_us.clear()
            raise
        self.duplicates += len(batch.letters) + len(batch.suspects) - len(letters)

    @abstractmethod
    def _generations(self, connection: _ConnectionType, devices: Sequence[int]) -> list[tuple[int, int]]:
        """Return id and generation of devices, which nobody can change until the transaction ends."""

    @abstractmethod
    def _insert_messages(self, connection: _ConnectionType, batch: Batch) -> None:
        """Insert rows; one that is there already stays as it is."""

    @abstractmethod
    def _save_progress(self, connection: _ConnectionType, batch: Batch) -> None:
        """Update the replay windows."""

    @abstractmethod
    def _update_seen(self, connection: _ConnectionType, devices: Sequence[int], at_us: int) -> None:
        """Update ``last_seen_us``."""

    def _refuse_stale(self, connection: _ConnectionType, batch: Batch) -> None:
        now = dict(self._generations(connection, sorted(batch.generations)))
        stale = [device for device, known in batch.generations.items() if now.get(device) != known]
        if stale:
            raise StaleDevices(f"{len(stale)} devices changed while their messages were on the way")

    def _mark_seen(self, connection: _ConnectionType, batch: Batch) -> None:
        """Once a second a device is enough for people, and spares the database."""
        due_before = batch.received_us - _SEEN_EVERY_US
        devices = sorted({row[0] for row in batch.rows})
        due = [device for device in devices if self._seen_us.get(device, 0) <= due_before]
        if due:
            self._update_seen(connection, due, batch.received_us)
            self._seen_us.update(dict.fromkeys(due, batch.received_us))

    def _not_stored(self, connection: _ConnectionType, suspects: Sequence[Suspect]) -> list[Any]:
        """Return the letters of those whose message is not in the table: the others are mere repeats."""
        letters = []
        for some in chunks(suspects):
            sql = _STORED % ", ".join(["(?, ?, ?)"] * len(some))
            stored = set(connection.query(sql, [value for suspect in some for value in suspect[:3]]))
            letters += [suspect.letter for suspect in some if suspect[:3] not in stored]
        return letters


def chunks(items: Sequence[_Item], size: int = _AT_ONCE) -> Iterator[Sequence[_Item]]:
    """Cut a list into pieces that one statement takes."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _device(row: tuple[Any, ...]) -> DeviceRow:
    number, device_id, blocked, life, generation, period, *sealed = row
    has_keys = sealed[SEALED_COLUMNS.index("root")] is not None
    state = StoredState(*sealed) if has_keys else None
    return DeviceRow(number, device_id, bool(blocked), life, generation, period, state)
