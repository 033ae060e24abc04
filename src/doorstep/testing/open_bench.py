"""Measures what opening one message costs the worker: each one timed by itself, as the worker calls it."""

import statistics
import time
from typing import Final

from doorstep.messaging.opener import Opener
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState
from doorstep.testing.load import payload_of

__all__ = ["median_open_us"]

_MESSAGES: Final = 20_000
_KID: Final = b"bench"
_ROOT: Final = bytes(range(32))
_CHANNEL: Final = b"up/data"


def median_open_us(readings: int) -> float:
    """Return the median microseconds of `Opener.open` for messages of so many readings, one device's."""
    sealer = DeviceSealer(_KID, DeviceState(_ROOT))
    messages = [sealer.seal(_CHANNEL, payload_of(readings, number)) for number in range(_MESSAGES)]
    opener = Opener(_KID, SealedState.first(_ROOT))
    clock, took = time.perf_counter_ns, []
    for message in messages:
        started = clock()
        opener.open(message, _CHANNEL, 0)
        took.append(clock() - started)
    return statistics.median(took) / 1_000
