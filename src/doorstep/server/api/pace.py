"""How often somebody may ask: counted over all processes in the database, a handful of requests at a time.

A process takes a part of the allowance in one statement and spends it by itself, so a request costs no
statement of its own. Together the processes never allow more than the quota; a process that stops, or
that somebody asks rarely, leaves the rest of its part unused until the window ends.
"""

from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from django.db import DatabaseError, connection

from doorstep.errors import RefusedError

__all__ = ["REQUESTS", "SEARCHES", "Left", "Pace", "TooFast"]

_PARTS: Final = 20
_UPSERT: Final = (
    "INSERT INTO allowance (subject, since_us, taken) VALUES (%s, %s, %s) ON CONFLICT (subject) DO UPDATE"
    " SET taken = CASE WHEN allowance.since_us = excluded.since_us THEN allowance.taken ELSE 0 END"
    " + excluded.taken, since_us = excluded.since_us RETURNING taken"
)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an allowance: the numbers of the RateLimit fields."""

    name: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int


class TooFast(RefusedError):
    """Somebody asked more often than their allowance lets them."""

    def __init__(self, left: Left, advice: str) -> None:
        super().__init__(
            f"more than {left.quota} {left.name} in {left.window_s} s",
            next_step=f"Wait {left.reset_s} s. {advice}".rstrip(),
        )
        self.left = left


@dataclass(slots=True)
class Pace:
    """An allowance of ``quota`` in each window of seconds, for each of many subjects."""

    name: str
    """What is counted, as the RateLimit fields and sentences name it."""
    quota: int
    window_s: int = 60
    advice: str = ""
    _lock: Lock = field(default_factory=Lock)
    _since_us: int = 0
    _held: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Subject → of this process's part: what is left; of the quota: what nobody had taken then."""

    def spend(self, subject: str, now_us: int) -> Left:
        """Count one for a subject; raise TooFast beyond the quota."""
        into_us = now_us % (self.window_s * 1_000_000)
        reset_s = self.window_s - into_us // 1_000_000
        with self._lock:
            if now_us - into_us != self._since_us:
                self._since_us, self._held = now_us - into_us, {}
            mine, others = self._held.get(subject, (0, 1))
            if mine == 0 and others > 0:
                mine, others = self._take(subject)
            allowed = mine > 0
            mine = max(mine - 1, 0)
            self._held[subject] = mine, others
        left = Left(self.name, self.quota, self.window_s, mine + others, reset_s)
        if not allowed:
            raise TooFast(left, self.advice)
        return left

    def _take(self, subject: str) -> tuple[int, int]:
        part = max(self.quota // _PARTS, 1)
        try:
            with connection.cursor() as cursor:
                cursor.execute(_UPSERT, [f"{self.name}/{subject}", self._since_us, part])
                (taken,) = cursor.fetchone()
        except DatabaseError:
            # A database without room for a count still answers questions.
            return part, 0
        return max(min(part, self.quota - (taken - part)), 0), max(self.quota - taken, 0)


REQUESTS: Final = Pace("requests", 1200, advice="Ask for more rows at once, or listen to webhooks.")
"""Of one API key, or of one person's sessions."""
SEARCHES: Final = Pace("searches", 30, advice="For many devices, use the batch's manifest.")
"""Questions of one organisation that could serve a search for other people's devices."""
