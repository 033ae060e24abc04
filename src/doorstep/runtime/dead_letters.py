"""What was not accepted, and why: one row a device, reason and minute, so that no flood fills the disk."""

from dataclasses import dataclass, field
from typing import Final

from doorstep.runtime.database import Connection

__all__ = ["MAX_ROWS_A_MINUTE", "DeadLetters", "Letter"]

MAX_ROWS_A_MINUTE: Final = 500
"""Beyond so many devices and reasons in one minute, the rest is counted under one row a reason."""

_MINUTE_US: Final = 60_000_000
_SAMPLE: Final = 64
_MAX_DEVICE: Final = 8
_MAX_TEXT: Final = 200

_INSERT: Final = (
    "INSERT INTO dead_letter (at_us, device_id, topic, reason, detail, size, sample, count)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)
_ADD: Final = "UPDATE dead_letter SET count = count + ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message or attempt that was refused."""

    at_us: int
    device_id: str
    topic: str
    reason: str
    detail: str = ""
    content: bytes = b""
    """As it came; the first 64 bytes are kept."""


_Key = tuple[int, str, str]


@dataclass(slots=True)
class DeadLetters:
    """Writes letters. Remembers which rows of this minute it made; `forget` after a rolled back write."""

    _rows: dict[_Key, int] = field(default_factory=dict)

    def write(self, connection: Connection, letters: list[Letter]) -> None:
        """Store letters inside the caller's transaction."""
        grouped: dict[_Key, list[Letter]] = {}
        for letter in letters:
            grouped.setdefault(self._key(letter, grouped), []).append(letter)
        for key, same in grouped.items():
            self._write_one(connection, key, same)

    def forget(self) -> None:
        """Make new rows from now on."""
        self._rows.clear()

    def _key(self, letter: Letter, pending: dict[_Key, list[Letter]]) -> _Key:
        minute = letter.at_us // _MINUTE_US
        key = (minute, _cleaned(letter.device_id, _MAX_DEVICE), letter.reason)
        if key in self._rows or key in pending or len(self._rows) + len(pending) < MAX_ROWS_A_MINUTE:
            return key
        self._rows = {known: row for known, row in self._rows.items() if known[0] == minute}
        if len(self._rows) + len(pending) < MAX_ROWS_A_MINUTE:
            return key
        return minute, "", letter.reason

    def _write_one(self, connection: Connection, key: _Key, letters: list[Letter]) -> None:
        if key in self._rows:
            connection.query(_ADD, (len(letters), self._rows[key]))
            return
        first = letters[0]
        row = (
            first.at_us,
            key[1],
            _cleaned(first.topic, _MAX_TEXT),
            first.reason,
            _cleaned(first.detail, _MAX_TEXT),
            len(first.content),
            first.content[:_SAMPLE],
            len(letters),
        )
        self._rows[key] = connection.query(_INSERT, row)[0][0]


def _cleaned(text: str, cap: int) -> str:
    """Return foreign text cut and without control characters."""
    return "".join(character if character.isprintable() else "?" for character in text[:cap])
