"""Which of several things happens first."""

import asyncio
from collections.abc import Coroutine

from doorstep.device.life import LifeEvent

__all__ = ["after", "race"]


async def race(*runners: Coroutine[None, None, LifeEvent]) -> LifeEvent:
    """Return the event of the runner that ends first, the earlier named one of two; cancel the others."""
    tasks = [asyncio.create_task(runner) for runner in runners]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task.done()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def after(seconds: float, event: LifeEvent) -> LifeEvent:
    """Return ``event`` when so many seconds have passed."""
    await asyncio.sleep(seconds)
    return event
