import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorstep.runtime.database import SqliteConnection
from doorstep.runtime.dead_letters import MAX_ROWS_A_MINUTE, DeadLetters, Letter

MINUTE = 60_000_000


@pytest.fixture
def connection(migrated_sqlite: Path) -> Iterator[SqliteConnection]:
    connection = SqliteConnection(migrated_sqlite)
    connection.query("BEGIN")
    yield connection
    connection.query("ROLLBACK")
    connection.close()


def rows(connection: SqliteConnection) -> list[tuple[object, ...]]:
    return connection.query("SELECT device_id, reason, count FROM dead_letter ORDER BY id")


def test_repeats_of_a_minute_share_a_row(connection: SqliteConnection) -> None:
    letters = DeadLetters()
    letters.write(connection, [Letter(5, "a", "t", "wrong_tag"), Letter(6, "a", "t", "wrong_tag")])
    letters.write(connection, [Letter(7, "a", "t", "wrong_tag"), Letter(8, "a", "t", "too_old")])
    letters.write(connection, [Letter(MINUTE, "a", "t", "wrong_tag")])
    assert rows(connection) == [("a", "wrong_tag", 3), ("a", "too_old", 1), ("a", "wrong_tag", 1)]


def test_forgotten_rows_are_not_counted_up(connection: SqliteConnection) -> None:
    letters = DeadLetters()
    letters.write(connection, [Letter(5, "a", "t", "wrong_tag")])
    connection.query("DELETE FROM dead_letter")
    letters.forget()
    letters.write(connection, [Letter(5, "a", "t", "wrong_tag")])
    assert rows(connection) == [("a", "wrong_tag", 1)]


def test_flood_of_names_ends_in_one_row_and_the_next_minute_starts_anew(connection: SqliteConnection) -> None:
    letters = DeadLetters()
    flood = [Letter(5, f"d{number}", "t", "connect_refused") for number in range(MAX_ROWS_A_MINUTE + 100)]
    letters.write(connection, flood)
    assert len(rows(connection)) == MAX_ROWS_A_MINUTE + 1
    assert rows(connection)[-1] == ("", "connect_refused", 100)
    letters.write(connection, [Letter(MINUTE, "later", "t", "connect_refused")])
    assert rows(connection)[-1] == ("later", "connect_refused", 1)


def test_foreign_text_is_cleaned_and_cut(connection: SqliteConnection) -> None:
    letter = Letter(5, "x\n" * 20, "t\x1b" * 200, "wrong_tag", "d\0" * 200, b"c" * 100)
    DeadLetters().write(connection, [letter])
    found = connection.query("SELECT device_id, topic, detail, size, sample FROM dead_letter")
    assert found == [("x?x?x?x?", "t?" * 100, "d?" * 100, 100, b"c" * 64)]


def test_error_of_the_database_is_raised(tmp_path: Path) -> None:
    connection = SqliteConnection(tmp_path / "empty")
    with pytest.raises(sqlite3.Error):
        DeadLetters().write(connection, [Letter(5, "a", "t", "wrong_tag")])
    connection.close()
