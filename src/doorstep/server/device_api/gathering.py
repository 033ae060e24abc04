"""Requests that arrive while a thread works on some are handed to it together, and share what it costs."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

__all__ = ["Gathering"]

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

_GROUP_CAP: Final = 64
"""Requests at once: what is locked for the first stays locked until the last is stored."""


@dataclass(slots=True)
class Gathering(Generic[_Asked, _Answer]):
    """One thread's work; ``act`` answers a group in its order. Nobody waits for company."""

    act: Callable[[Sequence[_Asked]], Sequence[_Answer]]
    thread: ThreadPoolExecutor
    _waiting: list[tuple[_Asked, asyncio.Future[_Answer]]] = field(default_factory=list)
    _work: asyncio.Task[None] | None = None

    async def ask(self, asked: _Asked) -> _Answer:
        """Return the answer, or raise what its whole group failed with."""
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._until_none_waits())
        return await answer

    async def _until_none_waits(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting[:_GROUP_CAP], self._waiting[_GROUP_CAP:]
            acting = loop.run_in_executor(self.thread, self.act, [asked for asked, _ in group])
            [answers] = await asyncio.gather(acting, return_exceptions=True)
            for number, (_, future) in enumerate(group):
                if future.done():  # its client went away
                    continue
                if isinstance(answers, BaseException):
                    future.set_exception(answers)
                else:
                    future.set_result(answers[number])
