"""Powers of one base, many times: fixed-base windowing (Brickell, Gordon, McCurley, Wilson 1992).

A table of base^(j·2^(w·i)) turns a power into one multiplication for each window of w exponent bits and
no squaring. Making 10,000 SRP verifiers takes thousands of powers of the same generator.

Neither this nor Python's own ``pow`` is constant in time: use it where nobody can measure, as a factory does.
"""

from collections.abc import Iterator
from typing import Final

from doorstep.errors import MisuseError

__all__ = ["FixedBase"]

_WINDOW: Final = 5
"""Bits per multiplication; measured best below a few thousand powers, the table counted."""


class FixedBase:
    """Computes ``base ** exponent % modulus`` for exponents up to a fixed number of bits."""

    def __init__(self, base: int, modulus: int, exponent_bits: int) -> None:
        """Make the table: 2^5 numbers for each five bits of exponent."""
        self._modulus = modulus
        self._exponent_bits = exponent_bits
        self._rows = tuple(_rows(base, modulus, -(-exponent_bits // _WINDOW)))

    def power(self, exponent: int) -> int:
        """Return ``base ** exponent % modulus``; raise `MisuseError` for an exponent beyond the table."""
        if not 0 <= exponent < 1 << self._exponent_bits:
            raise MisuseError(f"this table raises to exponents of {self._exponent_bits} bits")
        result = 1 % self._modulus
        for row in self._rows:
            result = result * row[exponent & (1 << _WINDOW) - 1] % self._modulus
            exponent >>= _WINDOW
        return result


def _rows(base: int, modulus: int, count: int) -> Iterator[tuple[int, ...]]:
    for _ in range(count):
        row = [1]
        while len(row) < 1 << _WINDOW:
            row.append(row[-1] * base % modulus)
        yield tuple(row)
        base = row[-1] * base % modulus
