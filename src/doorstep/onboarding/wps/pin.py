"""The device PIN of WPS: seven digits and a check digit (specification §7.4.1)."""

from collections.abc import Callable
from typing import Final

from doorstep.errors import SettingsError

__all__ = ["check_pin", "generate_pin"]

DIGITS: Final = 8
PINS: Final = 10 ** (DIGITS - 1)
DRAW: Final = 4
FAIR: Final = 2 ** (8 * DRAW) // PINS * PINS
"""Draws below it fall on each PIN equally often."""


def generate_pin(rng: Callable[[int], bytes]) -> str:
    """Draw a PIN; ``rng`` returns that many unpredictable bytes. Draw a new one for every session."""
    while (drawn := int.from_bytes(rng(DRAW))) >= FAIR:
        pass
    digits = f"{drawn % PINS:07d}"
    return digits + _check_digit(digits)


def check_pin(text: str) -> str:
    """Return the PIN's digits, without spaces and hyphens; raises `SettingsError` on a mistyped one."""
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise SettingsError(f"A WPS PIN has {DIGITS} digits.", next_step="Read it from the device again.")
    if _check_digit(digits[:-1]) != digits[-1]:
        raise SettingsError(
            "The last digit of the WPS PIN does not fit the others: one is mistyped.",
            next_step="Read it from the device again.",
        )
    return digits


def _check_digit(digits: str) -> str:
    weighted = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(digits))
    return str(-weighted % 10)
