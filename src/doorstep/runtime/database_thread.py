"""One database connection in one thread of its own, for shells that run an event loop."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg

from doorstep.errors import UnavailableError
from doorstep.runtime.database import PostgresConnection, SqliteConnection, connect
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

__all__ = ["DatabaseThread"]

_Result = TypeVar("_Result")


class DatabaseThread:
    """Runs work on the connection, one at a time, in order; opens it again after a failure."""

    def __init__(self, settings: Settings, state: StateFolder, name: str) -> None:
        self._settings = settings
        self._state = state
        self._connection: SqliteConnection | PostgresConnection | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[SqliteConnection | PostgresConnection], _Result]) -> _Result:
        """Return what ``work`` returns; raise UnavailableError when the database fails it."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._guarded, work)

    def close(self) -> None:
        """Wait for what runs, then close the connection."""
        self._executor.submit(self._drop)
        self._executor.shutdown()

    def _guarded(self, work: Callable[[SqliteConnection | PostgresConnection], _Result]) -> _Result:
        try:
            if self._connection is None:
                self._connection = connect(self._settings, self._state)
            return work(self._connection)
        except (sqlite3.Error, psycopg.Error) as error:
            self._drop()
            raise UnavailableError(
                f"the database failed: {_reason(error)}",
                next_step="Check that it runs and that its disk has room.",
            ) from error

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
