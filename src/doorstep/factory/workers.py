"""Spreads work over processes, in order, and notices at once when one of them dies.

Each worker has a pipe of its own. The standard library's pool may wait for ever for a worker that was killed
while it wrote its result; a pipe whose other end is gone says so.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from typing import Final, TypeVar

from doorstep.errors import UnavailableError

__all__ = ["WorkerDied", "spread"]

_DEPTH: Final = 2
"""Tasks that a worker is given at once, so that it never waits for the next."""
_END_S: Final = 2.0

_Setup = TypeVar("_Setup")
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class WorkerDied(UnavailableError):
    """A process that worked for us ended before its work did."""


def spread(
    prepare: Callable[[_Setup], Callable[[_Task], _Result]], setup: _Setup, tasks: Sequence[_Task], count: int
) -> Generator[_Result, None, None]:
    """Yield what ``prepare(setup)`` makes of each task, in the order of the tasks, by ``count`` processes.

    ``prepare`` is importable and called once in each process. ``setup`` reaches it through a pipe, never
    through a file or the environment. Raises WorkerDied.
    """
    with ExitStack() as stack:
        pipes = [stack.enter_context(_worker(stack, prepare, setup)) for _ in range(count)]
        try:
            yield from _in_order(pipes, tasks)
        except (EOFError, OSError) as error:
            raise WorkerDied(
                "a process that makes devices died", next_step="Check the machine's memory."
            ) from error


def _worker(
    stack: ExitStack, prepare: Callable[[_Setup], Callable[[_Task], _Result]], setup: _Setup
) -> Connection:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, prepare), daemon=True)
    process.start()
    theirs.close()
    stack.callback(process.join, _END_S)
    stack.callback(process.kill)
    ours.send(setup)
    return ours


def _serve(
    pipe: Connection, prepare: Callable[[_Setup], Callable[[_Task], _Result]]
) -> None:  # pragma: no cover - runs in the worker
    # Ctrl-C in a terminal reaches the whole group; the parent decides when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work = prepare(pipe.recv())
        while True:
            pipe.send(work(pipe.recv()))
    except (EOFError, OSError):
        return  # the parent is done with us


def _in_order(pipes: Sequence[Connection], tasks: Sequence[_Task]) -> Generator[_Result, None, None]:
    given: dict[Connection, deque[int]] = {pipe: deque() for pipe in pipes}
    done: dict[int, _Result] = {}
    next_task = next_result = 0
    # What waits for its turn counts too, so that a slow consumer is not buried.
    most = len(pipes) * (_DEPTH + 1)
    while next_result < len(tasks):
        for pipe, numbers in given.items():
            while len(numbers) < _DEPTH and next_task < min(len(tasks), next_result + most):
                pipe.send(tasks[next_task])
                numbers.append(next_task)
                next_task += 1
        answered = wait([pipe for pipe, numbers in given.items() if numbers])
        for pipe in (pipe for pipe in pipes if pipe in answered):
            done[given[pipe].popleft()] = pipe.recv()
        while next_result in done:
            yield done.pop(next_result)
            next_result += 1
