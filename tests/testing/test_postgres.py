from pathlib import Path

import psycopg
import pytest

from doorstep.errors import UnavailableError
from doorstep.testing import postgres
from doorstep.testing.postgres import PostgresServer

pytestmark = pytest.mark.postgres


def test_each_fresh_database_is_empty_and_gone_afterwards(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mark (n int)")
    with postgres_server.database() as url, psycopg.connect(url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'mark'").fetchone()
    assert tables == (0,)


def test_missing_binaries_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "_DEBIAN", tmp_path)
    with pytest.raises(UnavailableError, match="no PostgreSQL"), postgres.running_postgres():
        pass
