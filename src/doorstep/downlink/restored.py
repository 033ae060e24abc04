"""Notices that the database is an older copy: numbers that were used since must not be used again.

A mark stands in the database and in a file that no copy of the database brings back.
"""

import logging
from pathlib import Path
from typing import Final

from doorstep.messaging.envelope import MAX_SEQUENCE
from doorstep.runtime.database import Connection
from doorstep.runtime.state import write_private

__all__ = ["clear", "notice_restore"]

_log = logging.getLogger(__name__)

_MARK: Final = "SELECT mark, restored_us FROM downlink_mark"
_FORGET: Final = "DELETE FROM downlink_mark"
_KEEP: Final = "INSERT INTO downlink_mark (mark, restored_us) VALUES (?, ?)"
# SQLite takes ON CONFLICT after a SELECT only behind a WHERE.
_AWAIT: Final = (
    "INSERT INTO downlink_counter (device_id, epoch, next_seq, awaiting)"
    " SELECT device_id, 0, ?, ? FROM sealed_state WHERE device_id >= 0"
    " ON CONFLICT (device_id) DO UPDATE SET next_seq = excluded.next_seq, awaiting = excluded.awaiting"
)
_AWAITED: Final = (
    "SELECT d.last_seen_us FROM downlink_counter k JOIN device d ON d.id = k.device_id"
    " WHERE k.device_id = ? AND k.awaiting"
)
_HEARD: Final = "UPDATE downlink_counter SET epoch = ?, next_seq = ?, awaiting = ? WHERE device_id = ?"


def notice_restore(connection: Connection, file: Path, fresh: str, now_us: int) -> int:
    """Return when a restored copy was noticed last, 0 for never; ``fresh`` becomes the next mark.

    After it, nothing is sent to a device before it has shown in which epoch it is, and begun the next one.
    """
    there = file.read_text(encoding="ascii") if file.exists() else ""
    known = connection.query(_MARK)
    if known and known[0][0] == there:
        return int(known[0][1])
    restored_us = now_us if known else 0
    with connection.transaction():
        if known:
            _log.warning("the database is a restored copy: each device gets commands after its next boot")
            connection.query(_AWAIT, (MAX_SEQUENCE + 1, True))
        connection.query(_FORGET)
        connection.query(_KEEP, (fresh, restored_us))
    write_private(file, fresh.encode())
    return restored_us


def clear(connection: Connection, device: int, epoch: int, restored_us: int) -> bool:
    """Say whether a device's numbers may be used, once it is known which epoch it was in at the restore."""
    awaited = connection.query(_AWAITED, (device,))
    if not awaited:
        return True
    if (awaited[0][0] or 0) <= restored_us:
        return False
    connection.query(_HEARD, (epoch, MAX_SEQUENCE + 1, False, device))
    return True
