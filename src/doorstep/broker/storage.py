"""Notices a broker that can store no more.

After one failed write, to a full disk for example, NATS refuses every further write to that stream until it
is started anew, also when there is room again. Nothing is lost: devices keep what was not acknowledged.
"""

import shutil
from pathlib import Path
from typing import Final

__all__ = ["LEAST_ROOM", "StorageWatch"]

LEAST_ROOM: Final = 16 * 1024 * 1024
"""Free bytes below which a broker is not started anew: it could not even recover its streams."""

_MAX_READ: Final = 1024 * 1024
_FAILED: Final = (b"JetStream failed to store", b"Critical write error")


class StorageWatch:
    """Follows one broker's own log, for as long as it is the same ``run`` of it. Holds no file open."""

    def __init__(self, log: Path, store: Path) -> None:
        self._log = log
        self._store = store
        self._read = 0
        self._run = b""
        self._failed = False

    def why_stuck(self, run: bytes) -> str:
        """Say why ``run``, which names one process of the broker, must be started anew; empty if not."""
        news = self._news()
        if run != self._run:
            self._run, self._failed = run, False
        elif any(words in news for words in _FAILED):
            self._failed = True
        if not self._failed or shutil.disk_usage(self._store).free < LEAST_ROOM:
            return ""
        return "it stores nothing since a write failed, and there is room again"

    def _news(self) -> bytes:
        """Return the end of what was written since the last call; also behind a rotation."""
        try:
            with self._log.open("rb") as log:
                size = log.seek(0, 2)
                since = self._read if self._read <= size else 0
                log.seek(max(since, size - _MAX_READ))
                self._read = size
                return log.read(_MAX_READ)
        except FileNotFoundError:
            return b""
