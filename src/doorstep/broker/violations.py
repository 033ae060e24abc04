"""Forbidden publishes, read from the broker's own log.

A device that publishes outside its permissions gets its acknowledgement, the broker drops the message, and
nothing but a line in the log tells of it. So the log is followed, and every such line becomes a dead letter.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from doorstep.runtime.dead_letters import Letter

__all__ = ["LogTail", "read_violation"]

_MAX_LINE: Final = 4096
_MAX_READ: Final = 1024 * 1024
_LINE: Final = re.compile(
    rb'\[ERR\] .* - "(?P<client>[^"]*)" - (?P<verb>Publish|Subscription) Violation - .*?'
    rb'Subject "(?P<subject>[^"]*)"'
)
_MAPPED: Final = re.compile(r"u\.\d+\.([^.]+)\.([^.]+)")
_DETAILS: Final = {
    b"Publish": "acknowledged by the broker and dropped: the device may not publish there",
    b"Subscription": "refused by the broker: the device may not subscribe there",
}


class LogTail:
    """Gives the lines that are written from now on, also when the file is rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._file = self._open()
        if self._file is not None:
            self._file.seek(0, 2)

    def new_lines(self) -> Iterator[bytes]:
        """Yield whole lines written since the last call."""
        yield from self._read()
        if self._was_rotated():
            self.close()
            self._file = self._open()
            yield from self._read()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _read(self) -> Iterator[bytes]:
        if self._file is None:
            return
        *lines, rest = (self._rest + self._file.read(_MAX_READ)).split(b"\n")
        self._rest = rest[:_MAX_LINE]
        yield from lines

    def _open(self) -> IO[bytes] | None:
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            return None

    def _was_rotated(self) -> bool:
        try:
            there = self._path.stat().st_ino
        except FileNotFoundError:
            return False
        return self._file is None or there != _inode(self._file)


def read_violation(line: bytes, at_us: int) -> Letter | None:
    """Return the letter that a log line makes, or None for a line about something else."""
    found = _LINE.search(line[:_MAX_LINE])
    if found is None:
        return None
    subject = found["subject"].decode("ascii", "replace")
    return Letter(
        at_us=at_us,
        device_id=found["client"].decode("ascii", "replace"),
        topic=_topic(subject),
        reason="forbidden_topic",
        detail=_DETAILS[found["verb"]],
    )


def _inode(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_ino


def _topic(subject: str) -> str:
    """Return the MQTT topic that the broker made ``subject`` of, as far as that can be told."""
    return _MAPPED.sub(r"d.\1.up.\2", subject).replace(".", "/")
