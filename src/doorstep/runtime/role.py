"""What every long-running role does alike: stop on a signal, beat once a second, retry calmly."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Coroutine, Mapping

from doorstep.runtime.heartbeat import BEAT_S, Heartbeat

__all__ = ["beat_until", "now_us", "pause", "serve_until", "stop_on_signals"]


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def serve_until(stop: asyncio.Event, serving: Coroutine[None, None, None]) -> None:
    """Serve until ``stop``, which is set in any case; raise what the serving failed with."""
    task, stopping = asyncio.create_task(serving), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        task.cancel()
        await asyncio.gather(task, stopping, return_exceptions=True)
    if not task.cancelled():
        task.result()


async def beat_until(
    stop: asyncio.Event, heartbeat: Heartbeat, figures: Callable[[], Mapping[str, float | str]]
) -> None:
    """Beat at once and then every second until ``stop``. A full disk silences a beat, never the role."""
    while not stop.is_set():
        with contextlib.suppress(OSError):
            heartbeat.beat(**figures())
        await pause(stop, BEAT_S)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake when the role has to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def now_us() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
