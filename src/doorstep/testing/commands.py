"""Commands for a plant's devices, written straight into the queue."""

import os
from typing import Final

from doorstep.messaging.command import COMMAND_ID_LENGTH
from doorstep.runtime.database import Connection
from doorstep.runtime.role import now_us
from doorstep.testing.devices import TestDevice
from doorstep.testing.plant import Plant

__all__ = ["add_command"]

_ADD: Final = (
    "INSERT INTO downlink (device_id, number, command_id, channel, name, body, state, ownership_period,"
    " asked_by, asked_us, expires_us, tries, tries_here, tried_epoch, tried_session, next_us, detail)"
    " VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM downlink WHERE device_id = ?), ?, ?, '', ?,"
    " 'queued', 1, 'test', ?, ?, 0, 0, -1, 0, 0, ?)"
)


def add_command(  # noqa: PLR0913 - the columns that matter
    plant: Plant,
    connection: Connection,
    device: TestDevice,
    body: bytes,
    *,
    channel: str = "cmd",
    lasts_s: float = 60,
) -> str:
    """Queue a command as the server does, without a word to the role; return its id in hex."""
    command_id, asked_us = os.urandom(COMMAND_ID_LENGTH).hex(), now_us()
    wrapped = plant.key_file.wrap(body, f"downlink/{device.device_id}/{command_id}")
    expires_us = asked_us + round(lasts_s * 1e6)
    row = (device.row, device.row, command_id, channel, wrapped, asked_us, expires_us, b"")
    connection.query(_ADD, row)
    return command_id
