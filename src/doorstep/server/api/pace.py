"""How often an organisation may ask what could serve a search: counted a minute, in this process."""

from collections import Counter
from threading import Lock
from typing import Final

from doorstep.errors import RefusedError

__all__ = ["ASKED_A_MINUTE", "Pace", "TooFast"]

ASKED_A_MINUTE: Final = 30
_MINUTE_US: Final = 60_000_000


class TooFast(RefusedError):
    """An organisation asked too often in this minute."""

    def __init__(self) -> None:
        super().__init__(
            f"this organisation asked more than {ASKED_A_MINUTE} times in a minute",
            next_step="Wait a minute. For many devices, use the batch's manifest.",
        )


class Pace:
    """Counts of the present minute; several processes count each for itself."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._asked: Counter[int] = Counter()

    def count(self, organisation: int, now_us: int) -> None:
        """Count a question; raise TooFast beyond the allowance."""
        with self._lock:
            if now_us // _MINUTE_US != self._minute:
                self._minute = now_us // _MINUTE_US
                self._asked.clear()
            self._asked[organisation] += 1
            if self._asked[organisation] > ASKED_A_MINUTE:
                raise TooFast
