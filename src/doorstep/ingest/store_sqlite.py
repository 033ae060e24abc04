"""Batches into SQLite: few long statements, so that the event loop's thread runs beside them."""

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Final

from doorstep.ingest.batch import Batch
from doorstep.ingest.sink import MESSAGE_COLUMNS, PROGRESS_COLUMNS, SqlSink, chunks
from doorstep.runtime.database import SqliteConnection

__all__ = ["SqliteSink"]

_ROWS_AT_ONCE: Final = 1_000
_BY_DEVICE: Final = itemgetter(0)
_GENERATIONS: Final = "SELECT id, generation FROM device WHERE id IN (%s)"
_ROW: Final = f"({', '.join('?' * len(MESSAGE_COLUMNS))})"
_INSERT: Final = f"INSERT INTO message ({', '.join(MESSAGE_COLUMNS)}) VALUES %s ON CONFLICT DO NOTHING"
_PROGRESS: Final = (
    f"UPDATE sealed_state SET {', '.join(f'{column} = ?' for column in PROGRESS_COLUMNS)} WHERE device_id = ?"
)


class SqliteSink(SqlSink[SqliteConnection]):
    """See Sink. SQLite has one writer at a time, so what was read stays true until the commit."""

    def _generations(self, connection: SqliteConnection, devices: Sequence[int]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for some in chunks(devices):
            found += connection.query(_GENERATIONS % ", ".join("?" * len(some)), some)
        return found

    def _insert_messages(self, connection: SqliteConnection, batch: Batch) -> None:
        # In the order of the key, nearly, the index is walked once, not searched for each row.
        for some in chunks(sorted(batch.rows, key=_BY_DEVICE), _ROWS_AT_ONCE):
            connection.query(_INSERT % ", ".join([_ROW] * len(some)), tuple(chain.from_iterable(some)))

    def _save_progress(self, connection: SqliteConnection, batch: Batch) -> None:
        rows = [(*progress, device) for device, progress in batch.progress.items()]
        connection.execute_many(_PROGRESS, rows)

    def _update_seen(self, connection: SqliteConnection, devices: Sequence[int], at_us: int) -> None:
        rows = [(at_us, device) for device in devices]
        connection.execute_many("UPDATE device SET last_seen_us = ? WHERE id = ?", rows)
