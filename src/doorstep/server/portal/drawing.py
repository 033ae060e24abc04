"""Lines of readings as figures: coordinates, axes and words, drawn by the server so that no script is needed.

The drawing is 1000 wide and 240 high and is stretched to its place; what is written stands beside it as text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from doorstep.server.readings.charts import Dot, Line, Span

__all__ = ["Curve", "Figure", "figure_of"]

_WIDTH: Final = 1000
_HEIGHT: Final = 240
_ROWS: Final = 4
_COLUMNS: Final = 4
_GAP: Final = 4.0
"""A pause of so many usual steps is drawn as one."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One device's line in a figure."""

    line: Line
    style: int
    """1 for the first: colour and dashes."""
    path: str
    band: str
    """Between the lowest and the highest of each hour or day; empty where there is one value a point."""

    @property
    def newest(self) -> Dot:
        """The last point."""
        return self.line.dots[-1]

    @property
    def lowest(self) -> float:
        """The least value."""
        return min(dot.low for dot in self.line.dots)

    @property
    def highest(self) -> float:
        """The greatest value."""
        return max(dot.high for dot in self.line.dots)

    @property
    def mean(self) -> float:
        """The mean of the points."""
        return sum(dot.mean for dot in self.line.dots) / len(self.line.dots)


@dataclass(frozen=True, slots=True)
class Figure:
    """One reading over time, of one device or several."""

    name: str
    unit: str
    curves: tuple[Curve, ...]
    heights: tuple[str, ...]
    """What stands at the lines of the grid, from the top."""
    grid: tuple[float, ...]
    """Where these lines are."""
    times: tuple[int, ...]
    """What stands below, from the left."""
    limits: tuple[float, ...]
    """Heights of the thresholds within."""


def figure_of(lines: Sequence[Line], span: Span, now_us: int, limits: Iterable[float] = ()) -> Figure:
    """Draw lines of one reading over each other."""
    first_us = now_us - span.back_us
    bottom, top, step = _scale(lines)
    count = round((top - bottom) / step)

    def height(value: float) -> float:
        return round((top - value) / (top - bottom) * _HEIGHT, 1)

    def across(time_us: int) -> float:
        return round(min(max((time_us - first_us) / span.back_us, 0.0), 1.0) * _WIDTH, 1)

    curves = [
        Curve(
            line,
            style,
            _path([(across(dot.time_us), height(dot.mean)) for dot in line.dots]),
            _band([(across(dot.time_us), height(dot.low), height(dot.high)) for dot in line.dots])
            if span.hours
            else "",
        )
        for style, line in enumerate(lines, start=1)
    ]
    marks = [top - number * step for number in range(count + 1)]
    return Figure(
        lines[0].name,
        lines[0].unit,
        tuple(curves),
        tuple(_written(mark, step) for mark in marks),
        tuple(height(mark) for mark in marks),
        tuple(first_us + span.back_us * number // _COLUMNS for number in range(_COLUMNS + 1)),
        tuple(height(limit) for limit in limits if bottom <= limit <= top),
    )


def _scale(lines: Sequence[Line]) -> tuple[float, float, float]:
    """Return a round bottom and top that hold every value, and the round step between."""
    low = min(dot.low for line in lines for dot in line.dots)
    high = max(dot.high for line in lines for dot in line.dots)
    room = (high - low) or max(abs(high) * 0.1, 1.0)
    rough = room / _ROWS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * 0.999)
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    return (bottom, top, step) if top > bottom else (bottom - step, top + step, step)


def _written(value: float, step: float) -> str:
    if abs(value) >= 1e6 or 0 < step < 1e-4:  # noqa: PLR2004 - beyond, digits say nothing
        return f"{value:.3g}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _path(spots: Sequence[tuple[float, float]]) -> str:
    steps = [after[0] - before[0] for before, after in pairwise(spots)]
    pause = _GAP * median(steps) if steps else 0.0
    parts = []
    for number, (x, y) in enumerate(spots):
        apart = number == 0 or (steps[number - 1] > pause and steps[number - 1] > 1)
        parts.append(f"{'M' if apart else 'L'}{x:g} {y:g}")
    if len(spots) == 1:
        parts.append(f"L{spots[0][0]:g} {spots[0][1]:g}")  # a dot, with round ends
    return "".join(parts)


def _band(spots: Sequence[tuple[float, float, float]]) -> str:
    upper = [f"{x:g} {high:g}" for x, _, high in spots]
    lower = [f"{x:g} {low:g}" for x, low, _ in reversed(spots)]
    return f"M{'L'.join([*upper, *lower])}Z"
