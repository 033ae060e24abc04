"""What a maker tells about a product before Doorstep can advise: the questions, their answers, their caps."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from doorstep.errors import MisuseError

__all__ = [
    "DECIMALS_CAP",
    "PRICE_CAP",
    "QUESTIONS",
    "UNITS_CAP",
    "WORDS",
    "BadSituation",
    "Chip",
    "Control",
    "Damage",
    "Sales",
    "Situation",
    "check_money",
    "check_units",
]

PRICE_CAP: Final = Decimal(10_000_000)
"""Of one device, in any currency."""

DECIMALS_CAP: Final = 4
"""Of an amount of money."""

UNITS_CAP: Final = 1_000_000_000
"""Devices a year."""


class BadSituation(MisuseError):
    """An answer can't be true of any product."""


class Damage(enum.StrEnum):
    """The worst that an attacker could do with this product, least first."""

    NUISANCE = "nuisance"
    SERVICE = "service"
    DATA = "data"
    CONTROL = "control"
    SAFETY = "safety"

    @property
    def rank(self) -> int:
        """How bad it is; higher is worse."""
        return list(Damage).index(self)


class Chip(enum.StrEnum):
    """What the board can compute, least first."""

    NO_CRYPTO = "no-crypto"
    AES = "aes"
    TLS = "tls"
    SECURE_ELEMENT = "secure-element"


class Sales(enum.StrEnum):
    """Who stands between the maker and the customer."""

    DIRECT = "direct"
    WHOLESALE = "wholesale"


class Control(enum.StrEnum):
    """What people can touch or read on the device."""

    NONE = "none"
    BUTTON = "button"
    DISPLAY = "display"


WORDS: Final[Mapping[enum.StrEnum, str]] = {
    Damage.NUISANCE: "a nuisance: nothing that anybody would attack it for",
    Damage.SERVICE: "use of my service without paying, or a device taken from its buyer",
    Damage.DATA: "a customer's data read or forged",
    Damage.CONTROL: "things switched in a customer's home or business: doors, heating, machines",
    Damage.SAFETY: "people hurt, or many customers harmed at once",
    Chip.NO_CRYPTO: "no cryptography: a very small chip",
    Chip.AES: "AES, but no room for signatures and TLS",
    Chip.TLS: "signatures (P-256) and TLS, as an ESP32 has",
    Chip.SECURE_ELEMENT: "the same, and a secure element is on the board",
    Sales.DIRECT: "from us: our records name each customer",
    Sales.WHOLESALE: "through wholesalers: our records often end there",
    Control.NONE: "neither button nor display",
    Control.BUTTON: "a button",
    Control.DISPLAY: "a display",
}
"""Each answer in plain words."""

QUESTIONS: Final[Mapping[str, str]] = {
    "damage": "What is the worst that an attacker could do with it?",
    "price": "What does one device cost, in your currency?",
    "budget": "What may identity, label and the work for them cost for each device?",
    "units": "How many do you make a year?",
    "chip": "What can the chip on the board do?",
    "sales": "Who do customers buy it from?",
    "can_scan": "Can every customer see and scan a label?",
    "control": "What is there to press or read on the device?",
    "line_online": "Is the factory line online while it flashes?",
}
"""Field of Situation → its question, in the order they are asked."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The answers; money in whatever currency the maker counts."""

    damage: Damage
    price: Decimal
    budget: Decimal
    units: int
    chip: Chip
    sales: Sales
    can_scan: bool
    control: Control
    line_online: bool

    def __post_init__(self) -> None:
        """Refuse answers that no product has."""
        check_money("price", self.price)
        check_money("budget", self.budget)
        check_units(self.units)


def check_money(name: str, amount: Decimal) -> Decimal:
    """Return an amount that a device can cost, or raise BadSituation."""
    if not amount.is_finite() or not 0 <= amount <= PRICE_CAP or amount != round(amount, DECIMALS_CAP):
        raise BadSituation(
            f"the {name} of a device can't be {amount}",
            next_step=f"Give an amount from 0 to {PRICE_CAP}, with up to {DECIMALS_CAP} decimals.",
        )
    return amount


def check_units(units: int) -> int:
    """Return a number of devices that can be made in a year, or raise BadSituation."""
    if not 1 <= units <= UNITS_CAP:
        raise BadSituation(
            f"there can't be {units} devices a year", next_step=f"Give a number from 1 to {UNITS_CAP}."
        )
    return units
