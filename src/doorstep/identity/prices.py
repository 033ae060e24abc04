"""What a set of methods adds to the price of one device: ranges of stated assumptions, never measurements."""

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, Self, TypeAlias

from doorstep.errors import MisuseError

__all__ = [
    "AMOUNT_CAP",
    "ASSUMED",
    "ASSUMPTIONS",
    "BadPrice",
    "Cost",
    "CostLine",
    "Price",
    "Prices",
    "Range",
    "parse_range",
    "replace_assumed",
]

AMOUNT_CAP: Final = Decimal(1_000_000)
"""Of one price: any currency, or seconds."""

_AMOUNT: Final = r"(\d{1,10}(?:\.\d{1,6})?)"
_RANGE: Final = re.compile(rf"{_AMOUNT}(?:\s*\.\.\s*{_AMOUNT})?", re.ASCII)
_STEP: Final = Decimal("0.001")
_TENTH: Final = Decimal("0.1")
_HOUR_S: Final = Decimal(3600)


class BadPrice(MisuseError):
    """A text is not an amount or a range of amounts."""


@dataclass(frozen=True, slots=True)
class Range:
    """From the cheapest to the dearest that is assumed."""

    low: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        """Refuse what can't be a range of costs."""
        if not (self.low.is_finite() and self.high.is_finite() and 0 <= self.low <= self.high):
            raise BadPrice(
                f"{self.low}..{self.high} is not a range of costs",
                next_step="Give the smaller amount first, and none below 0.",
            )

    def __add__(self, other: Self) -> Self:
        """Add the ends."""
        return type(self)(self.low + other.low, self.high + other.high)

    def __str__(self) -> str:
        """Write it as people read it: ``0.5 to 1``, or one amount."""
        low, high = f"{self.low.normalize():f}", f"{self.high.normalize():f}"
        return low if low == high else f"{low} to {high}"


def parse_range(text: str) -> Range:
    """Read ``0.62`` or ``0.5..1``; raise BadPrice that shows how to write it."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise BadPrice(
            f"{text[:40]!a} is not an amount", next_step="Write one amount, as 0.62, or a range, as 0.5..1."
        )
    found = Range(Decimal(match[1]), Decimal(match[2] or match[1]))
    if found.high > AMOUNT_CAP:
        raise BadPrice(f"{found.high} is too much", next_step=f"Give an amount up to {AMOUNT_CAP}.")
    return found


class Price(enum.StrEnum):
    """What a maker pays for."""

    LINE_HOUR = "line-hour"
    SCAN_SECONDS = "scan-seconds"
    KEY_SECONDS = "key-seconds"
    ELEMENT_SECONDS = "element-seconds"
    LABEL = "label"
    CLAIM_CODE = "claim-code"
    ELEMENT_PART = "element-part"
    KEY_START = "key-start"
    ELEMENT_START = "element-start"


Prices: TypeAlias = Mapping[Price, Range]
"""A range for each price, in whatever currency the maker counts; the seconds in seconds."""


def _assume(low: str, high: str, says: str) -> tuple[Range, str]:
    return Range(Decimal(low), Decimal(high)), says


ASSUMPTIONS: Final[Mapping[Price, tuple[Range, str]]] = {
    Price.LINE_HOUR: _assume("20", "60", "an hour of a person and a station at the line"),
    Price.SCAN_SECONDS: _assume("0", "2", "seconds at the line to read a hardware id"),
    Price.KEY_SECONDS: _assume("2", "10", "seconds at the line to write a device's key and check it"),
    Price.ELEMENT_SECONDS: _assume("3", "15", "seconds at the line to test a secure element"),
    Price.LABEL: _assume("0.02", "0.06", "a label with the set-up code"),
    Price.CLAIM_CODE: _assume("0.03", "0.15", "a claim code under scratch-off foil"),
    Price.ELEMENT_PART: _assume("0.5", "1", "a secure element, soldered"),
    Price.KEY_START: _assume("500", "5000", "once: bring keys to the line and try it"),
    Price.ELEMENT_START: _assume("3000", "20000", "once: board, drivers and order of a secure element"),
}
"""Each price with what it pays for: assumed, not measured, and for the maker to replace."""

ASSUMED: Final[Prices] = {price: assumed for price, (assumed, _) in ASSUMPTIONS.items()}
"""The assumptions as prices."""


def replace_assumed(texts: Iterable[str]) -> Prices:
    """Return the assumed prices with others in place, each as ``label=0.02..0.06``; raise BadPrice."""
    prices = dict(ASSUMED)
    for text in texts:
        name, _, amount = text.partition("=")
        if name not in set(Price):
            raise BadPrice(
                f"there is no price {name[:40]!a} to assume", next_step=f"Prices are: {', '.join(Price)}."
            )
        prices[Price(name)] = parse_range(amount)
    return prices


@dataclass(frozen=True, slots=True)
class CostLine:
    """One part of what a device costs more, and what that figure stands on."""

    what: str
    amount: Range
    basis: str

    @classmethod
    def part(cls, what: str, price: Range) -> Self:
        """Something bought for each device."""
        return cls(what, _rounded(price.low, price.high), f"{price} each")

    @classmethod
    def work(cls, what: str, seconds: Range, hour: Range) -> Self:
        """Time at the line."""
        amount = _rounded(seconds.low * hour.low / _HOUR_S, seconds.high * hour.high / _HOUR_S)
        return cls(what, amount, f"{seconds} seconds at {hour} an hour")

    @classmethod
    def once(cls, what: str, price: Range, units: int) -> Self:
        """Paid once and spread over the devices of the first year."""
        amount = _rounded(price.low / units, price.high / units)
        return cls(what, amount, f"{price} once, over {units} devices of the first year")


def _rounded(low: Decimal, high: Decimal) -> Range:
    """Round away from the middle, so that the range stays true."""
    return Range(low.quantize(_STEP, ROUND_FLOOR), high.quantize(_STEP, ROUND_CEILING))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a set of methods adds to one device."""

    lines: tuple[CostLine, ...]

    @property
    def total(self) -> Range:
        """The sum of the lines."""
        return sum((line.amount for line in self.lines), Range(Decimal(0), Decimal(0)))

    def percent_of(self, price: Decimal) -> Range | None:
        """Return the total in per cent of a device's price; None for a device that is given away."""
        if price <= 0:
            return None
        low, high = self.total.low * 100 / price, self.total.high * 100 / price
        return Range(low.quantize(_TENTH, ROUND_FLOOR), high.quantize(_TENTH, ROUND_CEILING))
