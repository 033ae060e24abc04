"""``doorstep status``: how each role stands, and one exit code for all."""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.errors import UnavailableError
from doorstep.runtime import heartbeat
from doorstep.runtime.settings import load
from doorstep.runtime.state import StateFolder
from doorstep.supervisor import status as supervisor_status
from doorstep.supervisor.life import SILENT_S, Phase

__all__ = ["RoleReport", "report", "status"]

_UNHEALTHY: Final = 1
_ROUNDED_BELOW: Final = 100
_COLOURS: Final = {"running": "green", "starting": "yellow", "stopping": "yellow", "stalled": "yellow"}


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
        return self.state == Phase.RUNNING.value


def report(state: StateFolder, now: float) -> list[RoleReport]:
    """Return every role in start order; raise UnavailableError when no supervisor runs on this folder."""
    known = supervisor_status.read(state)
    if known is None or not supervisor_status.lives(known.pid):
        raise UnavailableError(
            f"Doorstep does not run on {state.root}",
            next_step="Start it with `doorstep up`, or name another folder with DOORSTEP_STATE.",
        )
    return [_role(state, name, role, now) for name, role in known.roles.items()]


def _role(state: StateFolder, name: str, role: supervisor_status.RoleStatus, now: float) -> RoleReport:
    pulse = heartbeat.read(state, name)
    running = role.phase == Phase.RUNNING.value
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


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(*, as_json: bool) -> None:
    """Show each role's state, process, uptime, restarts and figures; exit 0 only if all are healthy."""
    settings = load(os.environ)
    roles = report(StateFolder.open(settings.state), time.time())
    healthy = all(role.healthy for role in roles)
    if as_json:
        click.echo(json.dumps({"healthy": healthy, "roles": [asdict(role) for role in roles]}))
    else:
        Console().print(_table(roles))
    if not healthy:
        sys.exit(_UNHEALTHY)


def _table(roles: list[RoleReport]) -> Table:
    table = Table("Role", "State", "Process", "Up", "Restarts", "Figures", box=None, padding=(0, 2, 0, 0))
    for role in roles:
        colour = _COLOURS.get(role.state, "red")
        figures = ", ".join(f"{key} {_figure(value)}" for key, value in role.figures.items() if value != "")
        why = "" if role.healthy or not role.reason else f" ({role.reason})"
        table.add_row(
            role.role,
            f"[{colour}]{role.state}{why}[/]",
            str(role.pid or ""),
            _duration(role.uptime_s),
            str(role.restarts),
            figures,
        )
    return table


def _figure(value: float | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) and value < _ROUNDED_BELOW else str(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    shown = [f"{value} {unit}" for value, unit in parts if value]
    return " ".join(shown[:2]) or "0 s"
