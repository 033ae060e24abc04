"""The real set-up command in a real terminal, typed at by a test."""

import os
import pty
import select
import subprocess
import sys
import time
from contextlib import suppress

__all__ = ["Terminal"]

_WAIT_S = 30.0
_COMMAND = "from doorstep.cli.provision import provision; provision()"


class Terminal:
    """One run of the command; what it shows is read as it comes."""

    def __init__(self, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "160"},
        )
        os.close(slave)
        self.shown = ""
        self._from = 0

    def wait_for(self, words: str) -> str:
        """Return what was shown since the last time, up to ``words``."""
        deadline = time.monotonic() + _WAIT_S
        while (place := self.shown.find(words, self._from)) < 0:
            assert time.monotonic() < deadline, self.shown
            self._read(0.2)
        before, self._from = self.shown[self._from : place], place + len(words)
        return before

    def type(self, text: str) -> None:
        os.write(self._master, text.encode() + b"\n")

    def leave(self) -> int:
        """Wait for the end; return the exit code."""
        deadline = time.monotonic() + _WAIT_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.shown
            self._read(0.1)
        self._read(0)
        os.close(self._master)
        return self.process.returncode

    def _read(self, wait: float) -> None:
        if select.select([self._master], [], [], wait)[0]:
            with suppress(OSError):  # the other end is closed
                self.shown += os.read(self._master, 65536).decode("utf-8", "replace")
