"""A serial line of this computer as a pair of streams."""

import asyncio
import os
import sys
from typing import Final

from doorstep.errors import UnavailableError

__all__ = ["SPEED", "open_serial", "streams_of"]

SPEED: Final = 115_200
"""Bits a second: what boards' consoles speak."""


async def open_serial(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a line raw, at `SPEED`; raises `UnavailableError` where it is not there or not ours."""
    if sys.platform == "win32":
        raise UnavailableError("Serial lines are not supported on Windows.", next_step="Use Linux or macOS.")
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise _unavailable(path, error) from None
    try:
        _make_raw(handle)
        return await streams_of(handle)
    except OSError as error:
        os.close(handle)
        raise _unavailable(path, error) from None


async def streams_of(handle: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return both ends of an open file that the loop can wait for; closing the writer closes all."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    reading, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(handle), "rb", 0)
    )
    writing, protocol = await loop.connect_write_pipe(
        lambda: _WritingEnd(reading), os.fdopen(handle, "wb", 0)
    )
    return reader, asyncio.StreamWriter(writing, protocol, reader, loop)


class _WritingEnd(asyncio.StreamReaderProtocol):
    """Closes the reading end with itself: to the loop they are two."""

    def __init__(self, reading: asyncio.ReadTransport) -> None:
        super().__init__(asyncio.StreamReader())
        self._reading = reading

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._reading.close()


def _make_raw(handle: int) -> None:
    if sys.platform != "win32":
        import termios  # noqa: PLC0415 — not on Windows
        import tty  # noqa: PLC0415 — not on Windows

        try:
            tty.setraw(handle)
            attributes = termios.tcgetattr(handle)
            attributes[4] = attributes[5] = termios.B115200
            termios.tcsetattr(handle, termios.TCSANOW, attributes)
        except termios.error as error:
            raise OSError(*error.args) from None


def _unavailable(path: str, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"The serial line {path[:80]!r} cannot be used: {error.strerror}.",
        next_step="Check the cable and the name, that no other program has it, and that you may use it.",
    )
