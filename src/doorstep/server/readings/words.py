"""Names and units of readings as people write them."""

from typing import Final

__all__ = ["label_of", "number_of", "unit_word"]

_UNITS: Final = {
    "Cel": "°C",
    "%RH": "% RH",
    "%EL": "%",
    "m/s2": "m/s²",
    "m2": "m²",
    "m3": "m³",
    "Ohm": "Ω",
    "deg": "°",
}
"""SenML unit (RFC 8428 section 12.1) to how people write it."""


def label_of(name: str) -> str:
    """Write a reading's name for people: the last part of a path, without underscores."""
    return name.rsplit("/", 1)[-1].rsplit(":", 1)[-1].replace("_", " ").strip().capitalize() or name


def unit_word(unit: str) -> str:
    """Write a unit as people do: Cel becomes °C."""
    return _UNITS.get(unit, unit)


def number_of(value: float, unit: str = "") -> str:
    """Write a number with as many digits as somebody reads, and its unit."""
    return f"{value:.4g} {unit_word(unit)}".strip()
