"""One door to both databases: the same statements, the same answers, errors without passwords."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from doorstep.errors import UnavailableError
from doorstep.runtime.database import Connection, connect
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.testing.postgres import PostgresServer


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder.open(tmp_path / "state")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == "sqlite":
        return Settings()
    return Settings(database_url=request.getfixturevalue("fresh_postgres_url"))


@pytest.fixture
def connection(settings: Settings, state: StateFolder) -> Iterator[Connection]:
    opened = connect(settings, state)
    opened.query("CREATE TABLE thing (name TEXT PRIMARY KEY, share TEXT, raw " + _bytes(settings) + ")")
    yield opened
    opened.close()


def _bytes(settings: Settings) -> str:
    return "BLOB" if settings.embedded_database else "BYTEA"


def test_both_answer_alike(connection: Connection) -> None:
    connection.execute_many("INSERT INTO thing VALUES (?, ?, ?)", [("a", "50%", b"\x00"), ("b", "5%s", b"")])
    rows = connection.query("SELECT name, share, raw FROM thing WHERE share LIKE '%0%' OR name = ?", ("b",))
    found = sorted((name, share, bytes(raw)) for name, share, raw in rows)
    assert found == [
        ("a", "50%", b"\x00"),
        ("b", "5%s", b""),
    ]
    upsert = "INSERT INTO thing VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET share = excluded.share"
    kept = connection.query(f"{upsert} RETURNING share", ("a", "60%", b""))
    assert [tuple(row) for row in kept] == [("60%",)]
    assert connection.query("DELETE FROM thing") == []


def test_transaction_is_whole_or_nothing(
    connection: Connection, settings: Settings, state: StateFolder
) -> None:
    insert = "INSERT INTO thing (name) VALUES (?)"
    with connection.transaction():
        connection.query(insert, ("kept",))
    with suppress(LookupError), connection.transaction():
        connection.query(insert, ("lost",))
        raise LookupError
    other = connect(settings, state)
    assert [tuple(row) for row in other.query("SELECT name FROM thing")] == [("kept",)]
    other.close()


def test_sqlite_keeps_what_was_committed_through_a_power_cut(state: StateFolder) -> None:
    connection = connect(Settings(), state)
    assert connection.query("PRAGMA journal_mode") == [("wal",)]
    assert connection.query("PRAGMA synchronous") == [(2,)]
    assert connection.query("PRAGMA foreign_keys") == [(1,)]
    connection.close()


def test_sqlite_file_that_cannot_be_opened_is_named(state: StateFolder) -> None:
    state.sqlite_file.mkdir()
    with pytest.raises(UnavailableError, match="can't be opened") as refused:
        connect(Settings(), state)
    assert "state folder" in refused.value.next_step


def test_sqlite_file_that_is_no_database_is_named(state: StateFolder) -> None:
    state.sqlite_file.write_bytes(b"this is no database at all, and long enough to be looked at" * 4)
    with pytest.raises(UnavailableError, match="can't be opened"):
        connect(Settings(), state)


def test_postgresql_that_is_down_is_told_without_its_password(state: StateFolder) -> None:
    settings = Settings(database_url="postgresql://doorstep:secret@127.0.0.1:1/doorstep")
    with pytest.raises(UnavailableError, match="does not answer") as refused:
        connect(settings, state)
    assert "DOORSTEP_DATABASE_URL" in refused.value.next_step
    assert "secret" not in str(refused.value)


@pytest.mark.postgres
def test_database_that_the_server_does_not_have_is_named(
    state: StateFolder, postgres_server: PostgresServer
) -> None:
    with pytest.raises(UnavailableError, match='database "nowhere" does not exist'):
        connect(Settings(database_url=postgres_server.url("nowhere")), state)
