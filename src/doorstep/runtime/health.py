"""How each role of a state folder stands: what its supervisor knows, and its last sign of life."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import UnavailableError
from doorstep.runtime import heartbeat, supervised
from doorstep.runtime.heartbeat import SILENT_S
from doorstep.runtime.state import StateFolder

__all__ = ["SERVES", "RoleReport", "report"]

SERVES: Final = "running"
"""The supervisor's word for a role that serves."""

_ROUNDED_BELOW: Final = 100


@dataclass(frozen=True, slots=True)
class RoleReport:
    """One role for people and programs."""

    role: str
    state: str
    pid: int | None
    uptime_s: float
    restarts: int
    reason: str
    figures: Mapping[str, float | str]

    @property
    def healthy(self) -> bool:
        """Whether it serves."""
        return self.state == SERVES

    @property
    def told(self) -> str:
        """Its figures in one line, short enough for people."""
        return ", ".join(f"{name} {_figure(value)}" for name, value in self.figures.items() if value != "")


def report(state: StateFolder, now: float) -> list[RoleReport]:
    """Return every role in start order; raise UnavailableError when no supervisor runs on this folder."""
    known = supervised.read(state)
    if known is None or not supervised.lives(known.pid):
        raise UnavailableError(
            f"Doorstep does not run on {state.root}",
            next_step="Start it with `doorstep up`, or name another folder with DOORSTEP_STATE.",
        )
    return [_role(state, name, role, now) for name, role in known.roles.items()]


def _role(state: StateFolder, name: str, role: supervised.RoleStatus, now: float) -> RoleReport:
    pulse = heartbeat.read(state, name)
    running = role.phase == SERVES
    figures = pulse.figures if pulse and running else {}
    silent = running and pulse is not None and now - pulse.at > SILENT_S
    waits_for = str(figures.get("waits_for", ""))
    return RoleReport(
        role=name,
        state="silent" if silent else "stalled" if waits_for else role.phase,
        pid=role.pid,
        uptime_s=round(now - role.since, 1) if running else 0.0,
        restarts=role.restarts,
        reason=waits_for or role.reason,
        figures=figures,
    )


def _figure(value: float | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) and value < _ROUNDED_BELOW else str(value)
