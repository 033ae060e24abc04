"""The picture of the demo: chapters with what was seen, and a tile for each device."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

__all__ = ["Board", "Stage"]

_COLUMNS: Final = 5


class Stage(enum.Enum):
    """How far a device is; the value is its mark and its colour."""

    MADE = ("○", "dim")
    """It exists: identity, keys, label."""
    SOLD = ("◔", "cyan")
    """The ERP told us to whom."""
    ON_WIFI = ("◑", "yellow")
    """It joined the customer's network."""
    REGISTERED = ("◕", "blue")
    """It is in the customer's account."""
    SENDING = ("●", "green")
    """Its readings are in the portal."""
    REVOKED = ("✗", "red")
    """Nothing of it is accepted any more."""


@dataclass(slots=True)
class Board:
    """Shows the demo as it goes: live in a terminal, line by line elsewhere."""

    console: Console
    _chapters: list[tuple[str, str]] = field(default_factory=list)
    _stages: dict[str, Stage] = field(default_factory=dict)
    _values: dict[str, str] = field(default_factory=dict)
    _live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw while the block runs."""
        if not self.console.is_terminal:
            yield
            return
        with Live(self._picture(), console=self.console, refresh_per_second=8) as live:
            self._live = live
            yield
            live.update(self._picture())
        self._live = None

    def begin(self, chapter: str) -> None:
        """Open a chapter."""
        self._chapters.append((chapter, ""))
        self._draw()

    def end(self, seen: str) -> None:
        """Close the open chapter with what was seen."""
        chapter, _ = self._chapters[-1]
        self._chapters[-1] = (chapter, seen)
        self._draw()
        if self._live is None:
            self.console.print(f"[green]✓[/] {chapter}: {seen}", highlight=False)

    def put(self, serial: str, stage: Stage) -> None:
        """Move one device on."""
        self._stages[serial] = stage
        self._draw()

    def show_value(self, serial: str, value: str) -> None:
        """Write a device's newest value on its tile."""
        self._values[serial] = value
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(self._picture())

    def _picture(self) -> RenderableType:
        chapters = Table(box=None, show_header=False, padding=(0, 1))
        for chapter, seen in self._chapters:
            chapters.add_row("[green]✓[/]" if seen else "[yellow]…[/]", chapter, Text(seen, style="dim"))
        tiles = Table(box=None, show_header=False, padding=(0, 2))
        cells = [self._tile(serial) for serial in self._stages]
        for start in range(0, len(cells), _COLUMNS):
            tiles.add_row(*cells[start : start + _COLUMNS])
        legend = "  ".join(
            f"[{style}]{mark}[/] {stage.name.lower().replace('_', ' ').replace('wifi', 'Wi-Fi')}"
            for stage in Stage
            for mark, style in (stage.value,)
        )
        return Group(chapters, "", tiles, "", Text.from_markup(legend)) if cells else Group(chapters)

    def _tile(self, serial: str) -> Text:
        mark, style = self._stages[serial].value
        return Text(f"{mark} {serial[-5:]} {self._values.get(serial, ''):>8}", style=style)
