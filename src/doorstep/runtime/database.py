"""The database for shells that know no Django: one small door to SQLite and PostgreSQL.

SQL is written once with ``?`` placeholders, in the dialect both share (``ON CONFLICT``, ``RETURNING``).
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from doorstep.errors import UnavailableError
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

__all__ = ["SQLITE_PRAGMAS", "Connection", "PostgresConnection", "SqliteConnection", "connect"]

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL;"
    # A stored reading or a bound claim must outlive a power cut.
    "PRAGMA synchronous=FULL;"
    "PRAGMA busy_timeout=10000;"
    "PRAGMA foreign_keys=ON;"
)


_CONNECT_S: Final = 10


class Connection(Protocol):
    """What both databases give: rows as tuples, explicit transactions."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows, none for a statement that has none."""

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end of the block, roll back when it raises."""

    def close(self) -> None:
        """Close the connection."""


class SqliteConnection:
    """The embedded database, in WAL mode; usable from the thread that uses it, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file; raise UnavailableError when it can't be."""
        try:
            self.raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self.raw.executescript(SQLITE_PRAGMAS)
        except sqlite3.Error as error:
            raise UnavailableError(
                f"database {path} can't be opened: {error}", next_step="Check the disk and the state folder."
            ) from error

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See Connection."""
        return self.raw.execute(sql, parameters).fetchall()

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """See Connection."""
        self.raw.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Connection. Takes the write lock at once, so that no upgrade can fail half-way."""
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.raw.execute("ROLLBACK")
            raise
        self.raw.execute("COMMIT")

    def close(self) -> None:
        """See Connection."""
        self.raw.close()


class PostgresConnection:
    """A PostgreSQL connection in autocommit mode between explicit transactions."""

    def __init__(self, url: str) -> None:
        """Connect; raise UnavailableError, without the URL's password, when the server does not answer."""
        try:
            # A server that swallows packets must not hold a role for the two minutes that TCP would try.
            told: dict[str, Any] = {"connect_timeout": _CONNECT_S, **conninfo_to_dict(url)}
            self.raw = psycopg.connect(**told, autocommit=True, row_factory=tuple_row)
        except psycopg.Error as error:
            raise UnavailableError(
                f"PostgreSQL does not answer: {_why(error)}",
                next_step="Check that it runs and that DOORSTEP_DATABASE_URL names it.",
            ) from error

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See Connection."""
        cursor = self.raw.execute(_postgres(sql), parameters)
        return cursor.fetchall() if cursor.description else []

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """See Connection."""
        with self.raw.cursor() as cursor:
            cursor.executemany(_postgres(sql), rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Connection."""
        with self.raw.transaction():
            yield

    def close(self) -> None:
        """See Connection."""
        self.raw.close()


def connect(settings: Settings, state: StateFolder) -> SqliteConnection | PostgresConnection:
    """Open the database that the settings name."""
    if settings.embedded_database:
        return SqliteConnection(state.sqlite_file)
    return PostgresConnection(settings.database_url)


def _why(error: psycopg.Error) -> str:
    """Return the server's own sentence, which names a role or a database but never a password."""
    if said := re.search(r"FATAL:\s+(.{1,160})", str(error)):
        return said[1]
    return "nothing listens there" if "refused" in str(error) else type(error).__name__


@lru_cache(maxsize=256)
def _postgres(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()
