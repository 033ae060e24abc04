"""Which of several things happens first, and how the others end."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from doorstep.device.life import LifeEvent

__all__ = ["after", "end", "race"]

_PATIENCE_S: Final = 0.2
"""After this a task that is still there is cancelled once more."""


async def race(*runners: Coroutine[None, None, LifeEvent]) -> LifeEvent:
    """Return the event of the runner that ends first, the earlier named one of two; cancel the others."""
    tasks = [asyncio.create_task(runner) for runner in runners]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task.done()).result()
    finally:
        await end(*tasks)


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks until all have ended, whatever they end with.

    Once is not enough: before Python 3.12 ``asyncio.wait_for`` swallows a cancellation that meets its result.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_PATIENCE_S)
    await asyncio.gather(*tasks, return_exceptions=True)


async def after(seconds: float, event: LifeEvent) -> LifeEvent:
    """Return ``event`` when so many seconds have passed."""
    await asyncio.sleep(seconds)
    return event
