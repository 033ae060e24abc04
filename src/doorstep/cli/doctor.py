"""``doorstep doctor``: looks at everything a start leans on, and says what to do where it is not well."""

import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

import click
from rich.console import Console

from doorstep.broker.processes import find_server
from doorstep.errors import DoorstepError, UnavailableError
from doorstep.runtime import database, supervised
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings, load
from doorstep.runtime.state import StateFolder
from doorstep.supervisor import room

__all__ = ["Finding", "doctor", "examine"]

_OLDEST_PYTHON: Final = (3, 11)
_OLDEST_SQLITE: Final = (3, 35)
"""The first with RETURNING."""
_BUILT_S: Final = 1_767_225_600
"""2026-01-01: a clock before this can't be right, for this program did not exist."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``next_step`` is empty when it is well."""

    subject: str
    well: bool
    detail: str
    next_step: str = ""


def examine(settings: Settings, now: float) -> Iterator[Finding]:
    """Look at one thing after the other; nothing is changed but that the state folder and key file exist."""
    yield _look("Python", _python)
    yield _look("clock", lambda: _clock(now))
    folder = _look("state folder", lambda: str(StateFolder.open(settings.state).root))
    yield folder
    if folder.well:
        state = StateFolder.open(settings.state)
        yield _look("key file", lambda: _key_file(state))
        yield _look("disk", lambda: f"{room.check_disk(state) / 1024**3:.1f} GiB free")
        yield _look("database", lambda: _database(settings, state))
        yield from _ports(settings, state)
    yield _look("NATS server", lambda: _nats(settings))


def _look(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, well=True, detail=check())
    except DoorstepError as error:
        return Finding(subject, well=False, detail=error.message, next_step=error.next_step)


def _python() -> str:
    if sys.version_info < _OLDEST_PYTHON:
        raise UnavailableError(
            f"Python {platform.python_version()} is too old", next_step="Use Python 3.11 or newer."
        )
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise UnavailableError(
            f"SQLite {sqlite3.sqlite_version} is too old",
            next_step="Use a Python built with SQLite 3.35 or newer.",
        )
    return f"{platform.python_version()} with SQLite {sqlite3.sqlite_version}"


def _clock(now: float) -> str:
    if now < _BUILT_S:
        raise UnavailableError(
            "this machine's clock stands in the past, and certificates would not hold",
            next_step="Set the clock, best by a time service (timedatectl set-ntp true).",
        )
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))


def _key_file(state: StateFolder) -> str:
    KeyFile.open(state.key_file)
    return f"{state.key_file}, private"


def _database(settings: Settings, state: StateFolder) -> str:
    connection = database.connect(settings, state)
    try:
        connection.query("SELECT 1")
    finally:
        connection.close()
    return "SQLite in the state folder" if settings.embedded_database else "PostgreSQL answers"


def _ports(settings: Settings, state: StateFolder) -> Iterator[Finding]:
    known = supervised.read(state)
    if known is not None and supervised.lives(known.pid):
        yield Finding("ports", well=True, detail=f"in use by Doorstep itself (process {known.pid})")
        return
    for setting, (address, port) in room.listeners(settings).items():
        yield _look(setting, lambda s=setting, a=address, p=port: _free(s, a, p))  # type: ignore[misc]


def _free(setting: str, address: str, port: int) -> str:
    room.check_port(setting, address, port)
    return f"{address}:{port} is free"


def _nats(settings: Settings) -> str:
    if settings.nats_secure_url:
        return "your own servers, by URL"
    return str(find_server(settings))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(*, as_json: bool) -> None:
    """Check this machine and these settings; exit 0 only if Doorstep could start."""
    findings = []
    console = Console(stderr=as_json)
    for finding in examine(load(os.environ), time.time()):
        findings.append(finding)
        _tell(console, finding)
    well = all(finding.well for finding in findings)
    if as_json:
        click.echo(json.dumps({"well": well, "findings": [asdict(finding) for finding in findings]}))
    if not well:
        sys.exit(1)


def _tell(console: Console, finding: Finding) -> None:
    mark = "[green]✓[/]" if finding.well else "[red]✗[/]"
    console.print(f"{mark} {finding.subject}: {finding.detail}", highlight=False)
    if finding.next_step:
        console.print(f"    Next: {finding.next_step}", highlight=False)
