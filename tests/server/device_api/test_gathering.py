"""What waits while a thread works goes to it together; each asker gets its answer, or the group's error."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from doorstep.errors import UnavailableError
from doorstep.server.device_api.gathering import Gathering

_PATIENCE_S = 10


class _Work:
    """Answers a number with its double, once it is let; remembers its groups."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.began, self.may = threading.Event(), threading.Event()

    def act(self, asked: Sequence[int]) -> list[int]:
        self.groups.append(list(asked))
        self.began.set()
        assert self.may.wait(_PATIENCE_S)
        if 13 in asked:
            raise UnavailableError("the database does not answer")
        return [2 * one for one in asked]


async def _asked(work: _Work, *numbers: int) -> list[int | BaseException]:
    """Ask for the first, and for the others while the thread works on it."""
    with ThreadPoolExecutor(1) as thread:
        gathering = Gathering(work.act, thread)
        tasks = [asyncio.create_task(gathering.ask(numbers[0]))]
        await asyncio.to_thread(work.began.wait, _PATIENCE_S)
        tasks += [asyncio.create_task(gathering.ask(one)) for one in numbers[1:]]
        await asyncio.sleep(0)
        work.may.set()
        return await asyncio.gather(*tasks, return_exceptions=True)


def test_requests_that_wait_are_answered_together_in_their_order() -> None:
    work = _Work()
    assert asyncio.run(_asked(work, 1, 2, 3, 4)) == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]


def test_one_group_holds_no_more_than_its_cap() -> None:
    work = _Work()
    asyncio.run(_asked(work, *range(100, 201)))
    assert [len(group) for group in work.groups] == [1, 64, 36]


def test_failing_group_fails_for_its_askers_alone() -> None:
    work = _Work()
    answers = asyncio.run(_asked(work, 1, 13, 14))
    assert answers[0] == 2
    assert [type(one) for one in answers[1:]] == [UnavailableError, UnavailableError]


def test_asker_who_left_keeps_nobody_waiting() -> None:
    async def run() -> int:
        with ThreadPoolExecutor(1) as thread:
            gathering = Gathering(work.act, thread)
            left = asyncio.create_task(gathering.ask(1))
            await asyncio.to_thread(work.began.wait, _PATIENCE_S)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
            work.may.set()
            return await gathering.ask(2)

    work = _Work()
    assert asyncio.run(run()) == 4
