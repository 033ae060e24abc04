"""Rows by the dozen, where their number is the load: one statement, without models.

PostgreSQL takes new rows as a binary COPY, changes and conditions as arrays of prepared statements; SQLite
takes rows one by one without leaving the process. Names of tables and columns are the program's own words,
never a stranger's.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import psycopg
from django.db import connection

__all__ = ["insert", "select", "update"]

_Columns = Mapping[str, str]
"""Column → its type in PostgreSQL."""

_ANY: Final = "= ANY(%s)"
_LOCK: Final = " FOR UPDATE"


def insert(table: str, columns: _Columns, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, in the caller's transaction."""
    if not rows:
        return
    names = ", ".join(columns)
    if connection.vendor != "postgresql":
        marks = ", ".join(["%s"] * len(columns))
        _each(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
        return
    sql = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
        cursor.copy(sql) as copy,
    ):
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


def select(sql: str, *sets: Collection[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a query with one ``= ANY(%s)`` for each set, as the database's driver reads them.

    The query may end with ``FOR UPDATE``; on SQLite the transaction has locked everything already.
    """
    if connection.vendor == "postgresql":
        return _execute(sql, [list(one) for one in sets]).fetchall()
    for one in sets:
        sql = sql.replace(_ANY, f"IN ({', '.join(['%s'] * len(one))})", 1)
    with connection.cursor() as cursor:
        cursor.execute(sql.removesuffix(_LOCK), [value for one in sets for value in one])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def update(table: str, columns: _Columns, rows: Sequence[Sequence[Any]]) -> None:
    """Set columns of rows that are there; the first column is the primary key and stays."""
    if not rows:
        return
    key, *others = columns
    if connection.vendor != "postgresql":
        new = ", ".join(f"{one} = %s" for one in others)
        _each(f"UPDATE {table} SET {new} WHERE {key} = %s", [[*row[1:], row[0]] for row in rows])
        return
    new = ", ".join(f"{one} = new.{one}" for one in others)
    arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    _execute(
        f"UPDATE {table} SET {new} FROM unnest({arrays}) AS new ({', '.join(columns)})"
        f" WHERE {table}.{key} = new.{key}",
        [list(column) for column in zip(*rows, strict=True)],
    )


def _execute(sql: str, lists: Sequence[list[Any]]) -> psycopg.Cursor[tuple[Any, ...]]:
    # Django's own cursor puts values into the text, so that the server parses and plans it each time.
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return psycopg.Cursor(connection.connection).execute(sql.encode(), lists, prepare=True)


def _each(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)
