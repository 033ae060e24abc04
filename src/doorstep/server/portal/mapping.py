"""Sites on a plain drawing: where they lie to each other, without a map of anybody else's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.server.fleet.places import Site

__all__ = ["Map", "Pin", "map_of"]

_WIDTH: Final = 600
_EDGE: Final = 60
_LEAST: Final = 160
_MOST: Final = 600
_KM_A_DEGREE: Final = 111.32


@dataclass(frozen=True, slots=True)
class Pin:
    """One site on the drawing, numbered as in the list beside it."""

    number: int
    site: Site
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Map:
    """The drawing: north is up."""

    width: int
    height: int
    pins: tuple[Pin, ...]
    across_km: float
    """How far it is from its left edge to its right one, in two figures."""


def map_of(sites: Sequence[Site]) -> Map | None:
    """Draw the sites whose place is known; None for fewer than two."""
    known = [(number, one, *_place(one)) for number, one in enumerate(sites, start=1) if _has_place(one)]
    if len(known) < 2:  # noqa: PLR2004 - one alone lies nowhere
        return None
    middle = math.radians(sum(north for *_, north in known) / len(known))
    spots = [(number, one, east * math.cos(middle), north) for number, one, east, north in known]
    west, east = min(x for _, _, x, _ in spots), max(x for _, _, x, _ in spots)
    south, north = min(y for *_, y in spots), max(y for *_, y in spots)
    reach = max(east - west, (north - south) * (_WIDTH - 2 * _EDGE) / (_MOST - 2 * _EDGE), 1e-6)
    scale = (_WIDTH - 2 * _EDGE) / reach
    height = max(round((north - south) * scale) + 2 * _EDGE, _LEAST)
    left, top = (_WIDTH - (east - west) * scale) / 2, (height - (north - south) * scale) / 2
    pins = [
        Pin(number, one, round(left + (x - west) * scale, 1), round(top + (north - y) * scale, 1))
        for number, one, x, y in spots
    ]
    return Map(_WIDTH, height, tuple(pins), float(f"{_WIDTH / scale * _KM_A_DEGREE:.2g}"))


def _has_place(site: Site) -> bool:
    return site.latitude is not None and site.longitude is not None


def _place(site: Site) -> tuple[float, float]:
    return site.longitude or 0.0, site.latitude or 0.0
