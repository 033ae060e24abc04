"""``doorstep up``: run the whole platform in one process tree until it is told to stop."""

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from doorstep.cli.running import running
from doorstep.runtime.settings import Settings, load
from doorstep.supervisor.life import Child, Phase
from doorstep.supervisor.shell import Supervisor

__all__ = ["View", "addresses", "up"]

_LOOK_S: Final = 0.2

_MARKS: Final[Mapping[Phase, str]] = {
    Phase.WAITING: "[dim]·[/]",
    Phase.STARTING: "[yellow]◐[/]",
    Phase.RUNNING: "[green]●[/]",
    Phase.BROKEN: "[red]✗[/]",
    Phase.STOPPING: "[yellow]◑[/]",
    Phase.STOPPED: "[dim]○[/]",
}


_SETTLED: Final = frozenset({Phase.RUNNING, Phase.BROKEN, Phase.STOPPED})
"""Phases worth a line of their own; the others pass."""


@dataclass(slots=True)
class View:
    """Shows how the roles stand: a table that moves while they start in a terminal, else a line a change."""

    console: Console
    _live: Live | None = None
    _shown: dict[str, Phase] = field(default_factory=dict)

    def say(self, line: str) -> None:
        """Show one line of preparation."""
        self.console.print(f"[green]✓[/] {line}", highlight=False, soft_wrap=True)

    def __call__(self, supervisor: Supervisor) -> None:
        """Show what changed since the last call."""
        children = supervisor.children
        if self.console.is_terminal and not self._shown:
            self._draw(children)
        if self._live is None:
            self._tell(children)
        elif supervisor.serves():
            self.close()
            self._shown = {name: child.phase for name, child in children.items()}

    def close(self) -> None:
        """Leave the table as it stands."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _draw(self, children: Mapping[str, Child]) -> None:
        if self._live is None:
            self._live = Live(console=self.console, refresh_per_second=8)
            self._live.start()
        self._live.update(_table(children))

    def _tell(self, children: Mapping[str, Child]) -> None:
        for name, child in children.items():
            if self._shown.get(name) is not child.phase:
                self._shown[name] = child.phase
                if child.phase in _SETTLED:
                    self.console.print(f"{_MARKS[child.phase]} {name} {_words(child)}", highlight=False)


def _table(children: Mapping[str, Child]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for name, child in children.items():
        table.add_row(_MARKS[child.phase], name, _words(child))
    return table


def _words(child: Child) -> str:
    reason = f": {child.reason}" if child.phase is Phase.BROKEN else ""
    again = f" (restarted {child.restarts} times)" if child.restarts else ""
    return f"{child.phase.value}{reason}{again}"


def addresses(settings: Settings) -> dict[str, str]:
    """Return what this platform offers and where, for people."""
    host = settings.public_host
    return {
        "portal": settings.base_url,
        "REST API": f"{settings.base_url}/api/v1/docs",
        "device API": settings.device_api_url,
        "MQTT with TLS": f"mqtts://{host}:{settings.mqtt_tls_port}",
        "MQTT, sealed only": f"mqtt://{host}:{settings.mqtt_plain_port}",
        "state folder": str(settings.state.absolute()),
    }


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print the addresses as one JSON object when all roles serve."
)
def up(*, as_json: bool) -> None:
    """Run all roles until Ctrl-C or SIGTERM; what dies comes back, and all end in order."""
    settings = load(os.environ)
    console = Console(stderr=as_json)
    # A service manager's SIGTERM ends the platform just as Ctrl-C does; and a shell that starts a command
    # in the background has it ignore Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    view = View(console)
    with ExitStack() as stack:
        stack.callback(view.close)
        platform = stack.enter_context(running(settings, view.say, watch=view))
        _tell(settings, console, as_json=as_json)
        try:
            while True:
                time.sleep(_LOOK_S)
                view(platform.supervisor)
                platform.check()
        except KeyboardInterrupt:
            console.print("Stopping the roles in order …")
    console.print("Stopped. Everything is in the state folder.")


def _tell(settings: Settings, console: Console, *, as_json: bool) -> None:
    offers = addresses(settings)
    if as_json:
        click.echo(json.dumps(offers))
        return
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, address in offers.items():
        table.add_row(name, f"[bold]{address}[/]")
    console.print("\n[bold green]Doorstep is up.[/] Ctrl-C stops it.\n", table, "", sep="\n")
