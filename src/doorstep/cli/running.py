"""Bring a state folder to life and down again: checks, preparation, then the supervisor on a thread.

``doorstep up`` and ``doorstep demo`` stand on this.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.db import connections

from doorstep.broker import processes as brokers
from doorstep.cli.role import ROLES, SEVERAL
from doorstep.errors import UnavailableError
from doorstep.runtime.authority import open_authority
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings, to_environment
from doorstep.runtime.state import StateFolder
from doorstep.server.device_api.processes import name_of, processes
from doorstep.server.setup import migrate
from doorstep.supervisor import logs, room
from doorstep.supervisor.life import hopeless
from doorstep.supervisor.shell import RoleSpec, Supervisor

__all__ = ["Platform", "Say", "running"]

Say = Callable[[str], None]
"""Takes one line for the person who waits."""

_LOOK_S: Final = 0.1
_AUTHORITY_NAME: Final = "Doorstep"
"""Stands in the names of the certificates that the first start makes."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What runs, and the log-in that was made for it."""

    supervisor: Supervisor
    state: StateFolder
    staff: tuple[str, str] | None = field(repr=False)
    """E-mail and password of the first member of staff, at the first start only."""
    thread: threading.Thread
    """Where the supervisor runs."""

    def check(self) -> None:
        """Raise UnavailableError when nobody looks after the roles any more."""
        if not self.thread.is_alive():
            raise UnavailableError(
                "the supervisor ended", next_step="Read the lines above; then start again."
            )


@contextmanager
def running(settings: Settings, say: Say, *, watch: Callable[[Supervisor], None]) -> Iterator[Platform]:
    """Hold the state folder and run every role; enter when all serve, and stop them in order at the end.

    ``watch`` is called again and again while the roles come up. Raises what ``room``, ``StateFolder.locked``
    and the preparation raise, and UnavailableError with the end of its log for a role that can't start.
    """
    os.environ.update(to_environment(settings))
    state = StateFolder.open(settings.state)
    with state.locked():
        _check_room(settings, state)
        staff = _prepare_database(settings, say)
        supervisor = Supervisor(state, _prepare_roles(settings, state, say), dict(os.environ))
        stop = threading.Event()
        # A daemon: when this process dies in a hurry, the leash ends the roles.
        thread = threading.Thread(target=supervisor.run, args=(stop,), name="supervisor", daemon=True)
        thread.start()
        platform = Platform(supervisor, state, staff, thread)
        try:
            _wait_until_serving(platform, watch)
            yield platform
        finally:
            stop.set()
            thread.join()


def _check_room(settings: Settings, state: StateFolder) -> None:
    room.check_disk(state)
    for setting, (address, port) in room.listeners(settings).items():
        room.check_port(setting, address, port)


def _prepare_database(settings: Settings, say: Say) -> tuple[str, str] | None:
    kind = "SQLite in the state folder" if settings.embedded_database else "PostgreSQL"
    migrate()
    say(f"database: {kind}, tables up to date")
    from doorstep.server.accounts.bootstrap import bootstrap  # noqa: PLC0415 - its models need Django started

    staff = bootstrap()
    connections.close_all()
    if staff:
        say(f"first member of staff: {staff[0]}, password {staff[1]} (shown this once)")
    return staff


def _prepare_roles(settings: Settings, state: StateFolder, say: Say) -> list[RoleSpec]:
    authority = open_authority(state.ca, _AUTHORITY_NAME, now=datetime.now(UTC))
    say(f"certificate authority: {authority.root.common_name}")
    prepared = brokers.prepare(settings, state, KeyFile.open(state.key_file))
    say("brokers: configured, with a new server certificate")
    embedded = (RoleSpec(one.role, one.argv, one.is_ready, one.why_stuck) for one in prepared)
    return [*embedded, *(spec for name in ROLES for spec in _specs(name, settings))]


def _specs(name: str, settings: Settings) -> Iterator[RoleSpec]:
    command = (sys.executable, "-m", "doorstep", "role", name)
    yield RoleSpec(name, command)
    if name in SEVERAL:
        for number in range(2, processes(settings) + 1):
            yield RoleSpec(name_of(number), (*command, "--number", str(number)))


def _wait_until_serving(platform: Platform, watch: Callable[[Supervisor], None]) -> None:
    supervisor = platform.supervisor
    while not supervisor.serves():
        watch(supervisor)
        if name := hopeless(supervisor.children):
            raise _cannot_start(supervisor, name)
        platform.check()
        time.sleep(_LOOK_S)
    watch(supervisor)


def _cannot_start(supervisor: Supervisor, name: str) -> UnavailableError:
    log = supervisor.state.logs / f"{name}.log"
    return UnavailableError(
        f"the role {name} can't start: {supervisor.children[name].reason}\n{logs.tail(log)}",
        next_step=f"Mend what its log says ({log}), or run `doorstep doctor`.",
    )
