"""What people, screen readers and programs see of a run: lines, bars, or one JSON object an event."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from doorstep.cli.provision.results import DeviceResult, Ending
from doorstep.onboarding.steps import Step

__all__ = ["BarReporter", "JsonReporter", "LineReporter", "Reporter", "reporter"]

ORDER = (Step.FOUND, Step.SECURED, Step.DELIVERED, Step.TRYING, Step.CONNECTED, Step.REGISTERING)
"""Steps that fill a device's bar."""


class Reporter(Protocol):
    """Hears what happens to each device."""

    def step(self, name: str, step: Step) -> None:
        """Tell a step of a device."""

    def risk(self, name: str, risk: str) -> None:
        """Tell what an attacker can do with this device's old security."""

    def ended(self, result: DeviceResult) -> None:
        """Tell how a device ended."""

    def summary(self, results: Sequence[DeviceResult]) -> None:
        """Tell how all ended."""

    def pausing(self) -> AbstractContextManager[None]:
        """Keep quiet while a person is asked."""

    def close(self) -> None:
        """Put the display away."""


def reporter(total: int, *, alone: bool, as_json: bool, plain: bool) -> Reporter:
    """Return the reporter for where the output goes; a screen reader gets lines by ``plain``."""
    if as_json:
        return JsonReporter(alone=alone)
    if plain or alone or not sys.stderr.isatty():
        return LineReporter(alone=alone)
    return BarReporter(total)


class JsonReporter:
    """One object a line on standard output."""

    def __init__(self, *, alone: bool = False) -> None:
        """``alone`` leaves the device's name out, where one was asked for."""
        self._alone = alone

    def step(self, name: str, step: Step) -> None:
        """Tell a step of a device."""
        self._tell(name, {"step": step.key, "sentence": step.sentence})

    def risk(self, name: str, risk: str) -> None:
        """Tell a risk."""
        self._tell(name, {"warning": risk})

    def ended(self, result: DeviceResult) -> None:
        """Tell how a device ended."""
        signals = {"device": result.device_said_connected, "platform": result.platform_saw_it}
        if self._alone:
            _print({"outcome": result.step, "signals": signals})
            return
        said = {"result": result.ending.value, "sentence": result.sentence, "next_step": result.next_step}
        _print({"device": result.name, **said, "signals": signals})

    def summary(self, results: Sequence[DeviceResult]) -> None:
        """Tell how all ended."""
        if self._alone:
            return
        counts = Counter(result.ending.value for result in results)
        _print(
            {"summary": {ending.value: counts[ending.value] for ending in Ending}, "devices": len(results)}
        )

    def pausing(self) -> AbstractContextManager[None]:
        """Nobody is asked."""
        return nullcontext()

    def close(self) -> None:
        """Nothing is shown."""

    def _tell(self, name: str, values: dict[str, Any]) -> None:
        _print(values if self._alone else {"device": name, **values})


class LineReporter:
    """One plain line an event on standard error, and the results on standard output."""

    def __init__(self, *, alone: bool = False) -> None:
        """``alone`` leaves the device's name out, where there is but one."""
        self._alone = alone

    def step(self, name: str, step: Step) -> None:
        """Tell a step of a device."""
        click.echo(f"{self._lead(name)}{step.sentence}", err=True)

    def risk(self, name: str, risk: str) -> None:
        """Tell a risk."""
        click.secho(f"Warning: {self._lead(name)}{risk}", fg="yellow", err=True)

    def ended(self, result: DeviceResult) -> None:
        """Tell how a device ended."""
        said = f"{result.sentence} {result.next_step}".strip()
        click.echo(said if self._alone else f"{result.name}: {result.ending.value}. {said}".strip())

    def summary(self, results: Sequence[DeviceResult]) -> None:
        """Tell how all ended."""
        if not self._alone:
            click.echo(_counted(results))

    def pausing(self) -> AbstractContextManager[None]:
        """Lines do not move."""
        return nullcontext()

    def close(self) -> None:
        """Nothing is shown that stays."""

    def _lead(self, name: str) -> str:
        return "  • " if self._alone else f"{name}: "


class BarReporter:
    """A bar for the whole and one for each device under way; a table at the end."""

    def __init__(self, total: int) -> None:
        """``total`` devices."""
        self._console = Console(stderr=True, highlight=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
        )
        self._bars = Progress(*columns, console=self._console)
        self._total = self._bars.add_task("[bold]devices", total=total, said="")
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()

    def step(self, name: str, step: Step) -> None:
        """Move a device's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=len(ORDER), said="")
        done = ORDER.index(step) + 1 if step in ORDER else None
        self._bars.update(self._tasks[name], completed=done, said=step.sentence)

    def risk(self, name: str, risk: str) -> None:
        """Print a risk above the bars."""
        self._console.print(f"[yellow]Warning: {name}: {risk}[/yellow]")

    def ended(self, result: DeviceResult) -> None:
        """Take the device's bar away and move the whole."""
        if result.name in self._tasks:
            self._bars.remove_task(self._tasks.pop(result.name))
        self._bars.advance(self._total)

    def summary(self, results: Sequence[DeviceResult]) -> None:
        """Print the table."""
        table = Table("Device", "Result", "What happened", "Next")
        for result in results:
            table.add_row(result.name, result.ending.value, result.sentence, result.next_step)
        Console().print(table)
        click.echo(_counted(results))

    @contextmanager
    def _paused(self) -> Iterator[None]:
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()

    def pausing(self) -> AbstractContextManager[None]:
        """Stop moving while a person types."""
        return self._paused()

    def close(self) -> None:
        """Leave the bars as they are."""
        self._bars.stop()


def _print(values: dict[str, Any]) -> None:
    click.echo(json.dumps(values))


def _counted(results: Sequence[DeviceResult]) -> str:
    counts = Counter(result.ending for result in results)
    return f"{len(results)} devices: " + ", ".join(
        f"{counts[each]} {each.value}" for each in Ending if counts[each]
    )
