import asyncio
from contextlib import suppress

import pytest

from doorstep.device.life import AskAgain, LifeEvent, Stopped
from doorstep.device.racing import after, end, race


async def fail() -> LifeEvent:
    raise ValueError("broken")


def test_first_event_wins_and_the_others_end() -> None:
    ended: list[str] = []

    async def slow() -> LifeEvent:
        try:
            return await after(60, Stopped())
        finally:
            ended.append("slow")

    assert asyncio.run(race(slow(), after(0, AskAgain()))) == AskAgain()
    assert ended == ["slow"]


def test_earlier_named_wins_a_tie() -> None:
    async def now(event: LifeEvent) -> LifeEvent:
        return event

    assert asyncio.run(race(now(Stopped()), now(AskAgain()))) == Stopped()


def test_what_a_runner_fails_with_is_raised() -> None:
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(race(after(60, Stopped()), fail()))


def test_task_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await asyncio.wait_for(end(task), 5)
        assert task.cancelled()

    asyncio.run(main())


def test_task_that_failed_is_no_news() -> None:
    async def main() -> None:
        await end(asyncio.create_task(fail()))

    asyncio.run(main())
