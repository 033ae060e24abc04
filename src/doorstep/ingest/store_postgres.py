"""Batches into PostgreSQL by binary COPY; beside rows that are there already through a temporary table."""

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Final

import psycopg

from doorstep.ingest.batch import Batch
from doorstep.ingest.sink import MESSAGE_COLUMNS, PROGRESS_COLUMNS, SqlSink
from doorstep.runtime.database import PostgresConnection

__all__ = ["PostgresSink"]

_COLUMNS: Final = ", ".join(MESSAGE_COLUMNS)
_INCOMING: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming ON COMMIT DELETE ROWS AS"
    f" SELECT {_COLUMNS} FROM message WITH NO DATA"
)
_COPY: Final = f"COPY %s ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_COPY_STRAIGHT: Final = (_COPY % "message").encode()
_COPY_ASIDE: Final = (_COPY % "incoming").encode()
_INSERT: Final = f"INSERT INTO message ({_COLUMNS}) SELECT {_COLUMNS} FROM incoming ON CONFLICT DO NOTHING"
_PROGRESS: Final = (
    f"UPDATE sealed_state s SET {', '.join(f'{c} = t.{c}' for c in PROGRESS_COLUMNS)}"
    " FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])"
    f" AS t (device_id, {', '.join(PROGRESS_COLUMNS)}) WHERE s.device_id = t.device_id"
)
_LOCK: Final = "SELECT id, generation FROM device WHERE id = ANY(?) ORDER BY id FOR NO KEY UPDATE"
_SEEN: Final = "UPDATE device SET last_seen_us = ? WHERE id = ANY(?)"

_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TAIL: Final = b"\xff\xff"


class PostgresSink(SqlSink[PostgresConnection]):
    """See Sink."""

    def _generations(self, connection: PostgresConnection, devices: Sequence[int]) -> list[tuple[int, int]]:
        return connection.query(_LOCK, (list(devices),))

    def _insert_messages(self, connection: PostgresConnection, batch: Batch) -> None:
        if not batch.rows:
            return
        rows = _binary(batch)
        try:
            with connection.transaction():
                _copy(connection, _COPY_STRAIGHT, rows)
        except psycopg.errors.UniqueViolation:
            # Replay windows let a stored message pass only when they are older than the table: a restored
            # backup. Trying is cheaper: one write of each row instead of two and a look-up.
            connection.query(_INCOMING)
            _copy(connection, _COPY_ASIDE, rows)
            connection.query(_INSERT)

    def _save_progress(self, connection: PostgresConnection, batch: Batch) -> None:
        if batch.progress:
            columns = [list(column) for column in zip(*batch.progress.values(), strict=True)]
            connection.query(_PROGRESS, (list(batch.progress), *columns))

    def _update_seen(self, connection: PostgresConnection, devices: Sequence[int], at_us: int) -> None:
        connection.query(_SEEN, (at_us, list(devices)))


def _copy(connection: PostgresConnection, statement: bytes, rows: bytes) -> None:
    with connection.raw.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(rows)


def _binary(batch: Batch) -> bytes:
    """Return the batch's rows in COPY's binary form."""
    parts = [_COPY_HEAD]
    for device, epoch, sequence, channel, received, period, count, payload in batch.rows:
        packed = _row(len(channel)).pack(
            8, 8, device, 8, epoch, 8, sequence, len(channel), channel.encode(),
            8, received, 4, period, 4, count, len(payload),
        )  # fmt: skip
        parts += (packed, payload)
    parts.append(_COPY_TAIL)
    return b"".join(parts)


@lru_cache(maxsize=16)
def _row(channel_length: int) -> Struct:
    """One row in COPY's binary form up to the payload: each column behind its length."""
    return Struct(f"!h iq iq iq i{channel_length}s iq ii ii i")
