"""When to start, end and restart a role: a state machine and the decisions around it, without a process.

Roles stand in the order in which they start. Each waits until all before it serve; they end in the reverse
order, one after the other. What dies comes back after a delay that grows with each failure and shrinks
back once the role has been stable.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from doorstep.errors import IllegalTransition
from doorstep.runtime.heartbeat import SILENT_S

__all__ = [
    "GIVE_UP_AFTER",
    "GRACE_S",
    "READY_S",
    "STABLE_S",
    "TRANSITIONS",
    "Child",
    "Command",
    "Event",
    "Phase",
    "Seen",
    "advance",
    "back_off",
    "hopeless",
    "step",
]

READY_S: Final = 60.0
"""A role that has not become ready by then is killed and tried again."""
GRACE_S: Final = 15.0
"""A role asked to end gets so long before it is killed."""
STABLE_S: Final = 30.0
"""After so long without failure the next delay is the first one again."""
FIRST_DELAY_S: Final = 0.25
LONGEST_DELAY_S: Final = 30.0
GIVE_UP_AFTER: Final = 3
"""Failures of a role that has never served before the start as a whole is hopeless."""


class Phase(enum.Enum):
    """Where one role stands."""

    WAITING = "waiting"
    """Roles before it do not serve yet."""
    STARTING = "starting"
    """Its process runs and has not said that it is ready."""
    RUNNING = "running"
    """It serves."""
    BROKEN = "broken"
    """It ended by itself and comes back after a delay."""
    STOPPING = "stopping"
    """It was asked to end."""
    STOPPED = "stopped"
    """It has ended for good."""


class Event(enum.Enum):
    """What can happen to a role."""

    LAUNCHED = "launched"
    READY = "ready"
    LOST = "lost"
    STOP = "stop"
    EXITED = "exited"


TRANSITIONS: Final[Mapping[Phase, Mapping[Event, Phase]]] = {
    Phase.WAITING: {Event.LAUNCHED: Phase.STARTING, Event.EXITED: Phase.STOPPED},
    Phase.STARTING: {Event.READY: Phase.RUNNING, Event.LOST: Phase.BROKEN, Event.STOP: Phase.STOPPING},
    Phase.RUNNING: {Event.LOST: Phase.BROKEN, Event.STOP: Phase.STOPPING},
    Phase.BROKEN: {Event.LAUNCHED: Phase.STARTING, Event.EXITED: Phase.STOPPED},
    Phase.STOPPING: {Event.EXITED: Phase.STOPPED},
    Phase.STOPPED: {},
}


def advance(phase: Phase, event: Event) -> Phase:
    """Return the next phase, or raise IllegalTransition."""
    try:
        return TRANSITIONS[phase][event]
    except KeyError as error:
        raise IllegalTransition(f"a role that is {phase.value} can't be {event.value}") from error


class Command(enum.Enum):
    """What the shell is to do with a role's process."""

    LAUNCH = "launch"
    TERMINATE = "terminate"
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class Child:
    """What is known of one role. Times are seconds of a clock that never goes back."""

    phase: Phase = Phase.WAITING
    since: float = 0.0
    """When this phase began."""
    failures: int = 0
    """How often it was lost since it was last stable."""
    restarts: int = 0
    served: bool = False
    """Whether it was ever ready."""
    again_at: float = 0.0
    """When a broken role comes back."""
    reason: str = ""
    """Why it was lost last."""

    def moved(self, event: Event, now: float) -> "Child":
        """Take one transition at a time."""
        return replace(self, phase=advance(self.phase, event), since=now)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the shell sees of a role's process at one moment."""

    exit_code: int | None = None
    """How it ended; None while it runs, or when it was never started."""
    ready: bool = False
    silent_s: float = 0.0
    """Time since its last sign of life."""
    stuck: str = ""
    """Why it must be started anew although it gives signs of life."""


def back_off(failures: int, jitter: float) -> float:
    """Return the delay in seconds before attempt ``failures + 1``; ``jitter`` is within [0, 1)."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures - 1, 10))
    return longest * (0.5 + jitter / 2)


def step(
    children: Mapping[str, Child],
    seen: Mapping[str, Seen],
    now: float,
    *,
    stopping: bool,
    jitter: Callable[[], float],
) -> tuple[dict[str, Child], list[tuple[str, Command]]]:
    """Return every role after what was seen, and the commands for their processes. Order is start order."""
    after = {name: _observe(child, seen[name], now, jitter) for name, child in children.items()}
    commands = [(name, Command.KILL) for name, child in after.items() if _overdue(child, seen[name], now)]
    orders = _stop(after, now) if stopping else _start(after, now)
    return after, [*commands, *orders]


def hopeless(children: Mapping[str, Child]) -> str | None:
    """Name a role that has failed so often, without ever serving, that the start should be given up."""
    failing = (
        name for name, child in children.items() if not child.served and child.failures >= GIVE_UP_AFTER
    )
    return next(failing, None)


def _observe(child: Child, seen: Seen, now: float, jitter: Callable[[], float]) -> Child:
    match child.phase:
        case Phase.STARTING | Phase.RUNNING if seen.exit_code is not None:
            return _lost(child, seen, now, jitter)
        case Phase.STARTING if seen.ready:
            return replace(child.moved(Event.READY, now), served=True)
        case Phase.RUNNING if child.failures and now - child.since >= STABLE_S:
            return replace(child, failures=0)
        case Phase.STOPPING if seen.exit_code is not None:
            return child.moved(Event.EXITED, now)
        case _:
            return child


def _lost(child: Child, seen: Seen, now: float, jitter: Callable[[], float]) -> Child:
    why = _overdue(child, seen, now) or _ending(seen.exit_code or 0)
    failures = child.failures + 1
    again_at = now + back_off(failures, jitter())
    return replace(child.moved(Event.LOST, now), failures=failures, again_at=again_at, reason=why)


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _overdue(child: Child, seen: Seen, now: float) -> str:
    in_phase = now - child.since
    match child.phase:
        case Phase.STARTING if in_phase > READY_S:
            return f"not ready after {READY_S:.0f} s"
        case Phase.RUNNING if min(in_phase, seen.silent_s) > SILENT_S:
            return f"silent for {SILENT_S:.0f} s"
        case Phase.RUNNING:
            return seen.stuck
        case Phase.STOPPING if in_phase > GRACE_S:
            return f"did not end within {GRACE_S:.0f} s"
        case _:
            return ""


def _start(children: dict[str, Child], now: float) -> list[tuple[str, Command]]:
    orders: list[tuple[str, Command]] = []
    all_before_serve = True
    for name, child in children.items():
        due = child.phase is Phase.WAITING and all_before_serve
        again = child.phase is Phase.BROKEN and now >= child.again_at
        if due or again:
            children[name] = replace(child.moved(Event.LAUNCHED, now), restarts=child.restarts + again)
            orders.append((name, Command.LAUNCH))
        all_before_serve = all_before_serve and child.phase is Phase.RUNNING
    return orders


def _stop(children: dict[str, Child], now: float) -> list[tuple[str, Command]]:
    for name, child in reversed(children.items()):
        if child.phase in {Phase.WAITING, Phase.BROKEN}:
            children[name] = child.moved(Event.EXITED, now)
        elif child.phase in {Phase.STARTING, Phase.RUNNING}:
            children[name] = child.moved(Event.STOP, now)
            return [(name, Command.TERMINATE)]
        elif child.phase is Phase.STOPPING:
            return []
    return []
