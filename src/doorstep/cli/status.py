"""``doorstep status``: how each role stands, and one exit code for all."""

import json
import os
import sys
import time
from dataclasses import asdict
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from doorstep.runtime.health import RoleReport, report
from doorstep.runtime.settings import load
from doorstep.runtime.state import StateFolder

__all__ = ["status"]

_UNHEALTHY: Final = 1
_COLOURS: Final = {"running": "green", "starting": "yellow", "stopping": "yellow", "stalled": "yellow"}


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
        why = "" if role.healthy or not role.reason else f" ({role.reason})"
        table.add_row(
            role.role,
            f"[{colour}]{role.state}{why}[/]",
            str(role.pid or ""),
            _duration(role.uptime_s),
            str(role.restarts),
            role.told,
        )
    return table


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    shown = [f"{value} {unit}" for value, unit in parts if value]
    return " ".join(shown[:2]) or "0 s"
