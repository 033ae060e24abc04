"""Ask a person while devices go on being served."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import click

__all__ = ["aside", "terminal_kept"]

T = TypeVar("T")


async def aside(ask: Callable[[], T]) -> T:
    """Run a question in a thread that dies with the program, so that Ctrl-C waits for no answer."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(set_it: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits for the answer
            loop.call_soon_threadsafe(lambda: None if answer.done() else set_it())

    def run() -> None:
        try:
            said = ask()
        except (click.Abort, Exception) as error:  # noqa: BLE001 — handed to whoever asked
            problem = error
            tell(lambda: answer.set_exception(problem))
        else:
            tell(lambda: answer.set_result(said))

    threading.Thread(target=run, daemon=True, name="question").start()
    return await answer


@contextmanager
def terminal_kept() -> Iterator[None]:
    """Give the terminal its echo back when a question about a password is left by Ctrl-C."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415 — not on Windows

    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
