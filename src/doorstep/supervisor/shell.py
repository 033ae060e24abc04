"""The supervisor's hands: it looks at processes and heartbeats, lets ``life`` decide, and carries it out."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from doorstep.runtime import heartbeat, supervised
from doorstep.runtime.state import StateFolder
from doorstep.supervisor import leash, logs
from doorstep.supervisor.life import Child, Command, Phase, Seen, step

__all__ = ["RoleSpec", "Supervisor"]

TICK_S: Final = 0.1
_PROBE_S: Final = 1.0
_NO_PROCESS: Final = 71
"""Exit code that stands for a process the system could not make (EX_OSERR)."""


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """One role to keep running."""

    name: str
    argv: tuple[str, ...]
    probe: Callable[[], bool] | None = None
    """Says whether it serves, for a program that writes no heartbeat."""
    why_stuck: Callable[[], str] | None = None
    """Says why it must be started anew although it serves; empty when it need not."""


@dataclass(slots=True)
class _Process:
    spec: RoleSpec
    popen: subprocess.Popen[bytes] | None = None
    sign: float | None = None
    """Its last sign of life, or the one that its predecessor left; only compared with the next."""
    heard: float = 0.0
    """When it was launched or gave a new sign. Monotonic: the clock on the wall may jump by a day."""
    seen: Seen = field(default_factory=Seen)
    """What was seen of it last while it ran."""


@dataclass(slots=True)
class Supervisor:
    """Keeps roles running, in this order, until it is told to stop. One thread calls ``run``."""

    state: StateFolder
    roles: Sequence[RoleSpec]
    environ: Mapping[str, str]
    children: dict[str, Child] = field(init=False)
    started: float = field(default_factory=time.time)
    _processes: dict[str, _Process] = field(init=False)
    _next_probe: float = 0.0

    def __post_init__(self) -> None:
        """Begin with every role waiting."""
        self.children = {role.name: Child() for role in self.roles}
        self._processes = {role.name: _Process(role) for role in self.roles}

    def run(self, stop: threading.Event) -> None:
        """Supervise until ``stop`` is set and every role has ended; then nothing is left of them."""
        try:
            while any(child.phase is not Phase.STOPPED for child in self.children.values()):
                self.tick(stopping=stop.is_set())
                time.sleep(TICK_S)
        finally:
            self._kill_all()
            supervised.file_of(self.state).unlink(missing_ok=True)

    def tick(self, *, stopping: bool) -> None:
        """Look once, decide, act, and write the status."""
        if due := time.monotonic() >= self._next_probe:
            self._next_probe = time.monotonic() + _PROBE_S
        seen = {name: self._look(name, probe=due) for name in self.children}
        now, before = time.monotonic(), self.children
        self.children, commands = step(self.children, seen, now, stopping=stopping, jitter=random.random)
        for name, command in commands:
            self._carry_out(self._processes[name], command)
        if due or self.children != before:
            supervised.write(self.state, self.status())
        if due:
            for name in self.children:
                logs.rotate(self.state.logs / f"{name}.log")

    def status(self) -> supervised.Status:
        """Return what is known now."""
        ago = time.time() - time.monotonic()
        roles = {
            name: supervised.RoleStatus(
                child.phase.value, self._pid(name), child.since + ago, child.restarts, child.reason
            )
            for name, child in self.children.items()
        }
        return supervised.Status(os.getpid(), self.started, roles)

    def serves(self) -> bool:
        """Say whether every role runs."""
        return all(child.phase is Phase.RUNNING for child in self.children.values())

    def _pid(self, name: str) -> int | None:
        popen = self._processes[name].popen
        return popen.pid if popen and popen.returncode is None else None

    def _look(self, name: str, *, probe: bool) -> Seen:
        process = self._processes[name]
        if process.popen is None:
            return Seen(exit_code=_NO_PROCESS if self.children[name].phase is Phase.STARTING else None)
        exit_code = process.popen.poll()
        if exit_code is not None:
            return replace(process.seen, exit_code=exit_code)
        sign = self._sign(process, probe=probe or self.children[name].phase is Phase.STARTING)
        is_new = sign is not None and sign != process.sign
        if is_new:
            process.sign, process.heard = sign, time.monotonic()
        process.seen = Seen(
            ready=is_new or process.seen.ready,
            silent_s=time.monotonic() - process.heard,
            stuck=process.spec.why_stuck() if probe and process.spec.why_stuck else "",
        )
        return process.seen

    def _sign(self, process: _Process, *, probe: bool) -> float | None:
        if process.spec.probe is None:
            pulse = heartbeat.read(self.state, process.spec.name)
            return pulse.at if pulse else None
        return time.monotonic() if probe and process.spec.probe() else process.sign

    def _carry_out(self, process: _Process, command: Command) -> None:
        if command is Command.LAUNCH:
            self._launch(process)
        elif process.popen is not None:
            _signal_group(process.popen, signal.SIGTERM if command is Command.TERMINATE else signal.SIGKILL)

    def _launch(self, process: _Process) -> None:
        process.sign, process.heard = self._sign(process, probe=False), time.monotonic()
        process.seen, process.popen = Seen(), None
        try:
            with logs.opened(self.state.logs / f"{process.spec.name}.log") as log:
                process.popen = subprocess.Popen(  # noqa: S603 - our own command lines, no shell
                    leash.command(process.spec.argv),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.environ,
                    # Ctrl-C in a terminal reaches the supervisor alone, which then ends the roles in order.
                    start_new_session=True,
                )
        except OSError as error:
            # No memory, no process slot, no disk: a failure of the role like any other, tried again later.
            print(f"{process.spec.name} can't be started: {error.strerror}", file=sys.stderr)  # noqa: T201

    def _kill_all(self) -> None:
        for process in self._processes.values():
            if process.popen is not None:
                _signal_group(process.popen, signal.SIGKILL)
                process.popen.wait()


def _signal_group(popen: subprocess.Popen[bytes], number: int) -> None:
    if popen.poll() is not None:
        return
    try:
        os.killpg(popen.pid, number)
    except ProcessLookupError:
        popen.send_signal(number)
