"""``doorstep demo``: twenty devices live their whole life on this machine, on the real parts."""

import asyncio
import dataclasses
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from doorstep.cli.demo.board import Board
from doorstep.cli.demo.story import Story, Summary
from doorstep.cli.running import running
from doorstep.cli.up import View
from doorstep.errors import RefusedError
from doorstep.runtime.settings import Settings, load

__all__ = ["demo"]


@click.command()
@click.option(
    "--exit", "leave", is_flag=True, help="End after the checks; the exit code tells how they went."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def demo(*, leave: bool, as_json: bool) -> None:
    """Make, sell, set up and register 20 devices, watch their readings, refuse a thief, revoke one.

    Everything runs in a fresh folder that is removed at the end. Without --exit the platform stays up, with
    the portal's address and log-ins on the screen.
    """
    console = Console(stderr=as_json)
    # A service manager's SIGTERM ends the demo just as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _fresh_settings() as settings:
        console.print("\n[bold]Doorstep demo[/]: the whole life of 20 devices, on real parts.\n")
        view = View(console)
        with closing(view), running(settings, view.say, watch=view) as platform:
            board = Board(console)
            story = Story(settings, platform, board)
            try:
                summary = asyncio.run(story.run(Telling(console, as_json), leave=leave))
            except KeyboardInterrupt:
                console.print("Stopping …")
                return
    if not summary.passed:
        raise RefusedError(
            f"{len(summary.failed)} of the demo's checks failed: {', '.join(summary.failed)}",
            next_step="Run `doorstep doctor`; the lines above say what was seen.",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Telling:
    """How the end is told."""

    console: Console
    as_json: bool

    def __call__(self, summary: Summary) -> None:
        """Show the checks and what was seen."""
        if self.as_json:
            click.echo(json.dumps(dataclasses.asdict(summary) | {"passed": summary.passed}))
            return
        self.console.print()
        for check in summary.checks:
            mark = "[green]✓[/]" if check.passed else "[red]✗[/]"
            self.console.print(f" {mark} {check.what}: {check.seen}", highlight=False)


@contextmanager
def _fresh_settings() -> Iterator[Settings]:
    """Yield the operator's settings on a new state folder, with free ports where the usual ones are taken."""
    wanted = load(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="doorstep-demo-"))
    ports = ("portal_port", "device_api_port", "mqtt_tls_port", "mqtt_plain_port") + (
        ("nats_secure_port", "nats_plain_port") if not wanted.nats_secure_url else ()
    )
    free: dict[str, Any] = {name: _free_port(wanted.bind, getattr(wanted, name)) for name in ports}
    try:
        yield dataclasses.replace(wanted, state=folder / "state", **free)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port(address: str, preferred: int) -> int:
    """Return ``preferred``, or any free port when that is taken."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            taken: int = probe.getsockname()[1]
            return taken
    return preferred
