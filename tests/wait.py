"""Patience for what other processes do."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def until(look: Callable[[], _T], *, seconds: float = 10.0) -> _T:
    """Look until what is seen is true, and return it; fail with what was seen last."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds} s"
        time.sleep(0.02)
    return seen


async def until_soon(look: Callable[[], _T], *, seconds: float = 10.0) -> _T:
    """The same without stopping the event loop."""
    return await asyncio.to_thread(until, look, seconds=seconds)
