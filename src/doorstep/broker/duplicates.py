"""Ends the loop of two connections with one client id that push each other out for ever.

The broker closes the older connection when the same client id comes again. A device whose network broke
leaves a dead connection behind, so that is right now and then. When it goes on, the younger one is put off,
longer each time, and the older one stays. Pure: the clock comes in.
"""

from dataclasses import dataclass, field
from typing import Final

__all__ = ["ALLOWED", "FIRST_HOLD_US", "LONGEST_HOLD_US", "WINDOW_US", "Duplicates"]

ALLOWED: Final = 3
"""Takeovers within the window that are let be."""
WINDOW_US: Final = 60_000_000
FIRST_HOLD_US: Final = 30_000_000
LONGEST_HOLD_US: Final = 480_000_000
_CALM_US: Final = 900_000_000
_MOST_KNOWN: Final = 50_000


@dataclass(slots=True)
class _Record:
    takeovers: list[int] = field(default_factory=list)
    holds: int = 0
    until_us: int = 0
    last_us: int = 0


@dataclass(slots=True)
class Duplicates:
    """Remembers the takeovers of devices, in memory: a restart forgives."""

    _known: dict[str, _Record] = field(default_factory=dict)

    def hold_us(self, device_id: str, *, another_is_open: bool, now_us: int) -> int:
        """Return how long a new connection has to wait; 0 admits it."""
        if not another_is_open:
            return 0
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        record = self._known.setdefault(device_id, _Record())
        if now_us - record.last_us > _CALM_US:
            record.holds = 0
        record.last_us = now_us
        if now_us < record.until_us:
            return record.until_us - now_us
        return self._count(record, now_us)

    @staticmethod
    def _count(record: _Record, now_us: int) -> int:
        record.takeovers = [at for at in record.takeovers if now_us - at < WINDOW_US]
        if len(record.takeovers) < (1 if record.holds else ALLOWED):
            record.takeovers.append(now_us)
            return 0
        hold = min(FIRST_HOLD_US << min(record.holds, 10), LONGEST_HOLD_US)
        record.takeovers.clear()
        record.holds += 1
        record.until_us = now_us + hold
        return hold
