"""A private PostgreSQL server on a temporary folder, for tests and benches."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict
from uuid import uuid4

import psycopg

from doorstep.errors import UnavailableError
from doorstep.testing.ports import free_port

__all__ = ["PostgresServer", "find_binaries", "postgres_folder", "running_postgres", "serving"]

_START_S: Final = 30.0
_DEBIAN: Final = Path("/usr/lib/postgresql")
_USER: Final = "doorstep"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server that trusts everybody on the loopback address."""

    port: int

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its address, drop it at the end."""
        name = f"doorstep_{uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield self.url(name)
        finally:
            with psycopg.connect(self.url(), autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def find_binaries() -> Path | None:
    """Return the folder that holds ``initdb`` and ``postgres``, or None."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(_DEBIAN.glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


@contextmanager
def running_postgres(*, durable: bool = True) -> Iterator[PostgresServer]:
    """Run a private server until the block ends; without ``durable`` it skips fsync, which only tests may.

    Raises UnavailableError when there is no PostgreSQL on this machine or it does not start.
    """
    with postgres_folder() as folder, serving(folder, durable=durable) as server:
        yield server


@contextmanager
def postgres_folder() -> Iterator[Path]:
    """Make the files of an empty server, and remove them at the end; raises as `running_postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="doorstep-postgres-"))
    try:
        _hand_over(folder)
        _initialise(_binaries(), folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = find_binaries()
    if found is None:
        raise UnavailableError(
            "there is no PostgreSQL server on this machine", next_step="Install it: apt install postgresql"
        )
    return found


def _initialise(binaries: Path, folder: Path) -> None:
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", _USER, "-A", "trust", "-E", "UTF8"]
    subprocess.run(  # noqa: S603 - our own arguments
        [*command, "--locale=C", "--no-sync"], check=True, capture_output=True, cwd=folder, **_account()
    )


@contextmanager
def serving(folder: Path, *, port: int = 0, durable: bool = True) -> Iterator[PostgresServer]:
    """Serve such files until the block ends, on ``port`` or a free one; raise UnavailableError."""
    server = PostgresServer(port or free_port())
    options = ["listen_addresses=127.0.0.1", f"port={server.port}", f"unix_socket_directories={folder}"]
    if not durable:
        options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    command = [str(_binaries() / "postgres"), "-D", str(folder / "data"), *_settings(options)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, **_account()
        )
    try:
        _await_answer(server, process, folder / "log")
        yield server
    finally:
        process.terminate()  # SIGTERM waits for clients; SIGINT does not
        process.send_signal(2)
        process.wait(timeout=30)


def _settings(options: Sequence[str]) -> list[str]:
    return [word for option in options for word in ("-c", option)]


def _await_answer(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(server.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise UnavailableError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-300:]}")


def _hand_over(folder: Path) -> None:
    """Give the folder to the account that PostgreSQL will run as; it refuses to run as root."""
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")


class _Account(TypedDict, total=False):
    user: str
    group: str
    extra_groups: list[str]


def _account() -> _Account:
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
