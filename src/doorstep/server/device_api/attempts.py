"""Failed attempts at the device API: counted a device id, recorded, and slowed down in their answers alone.

The signature of every statement is checked whatever stood before it, so nobody can lock a genuine device
out by failing in its name.
"""

from collections import OrderedDict
from threading import Lock
from typing import Final

from django.db import transaction
from django.db.models import F

from doorstep.server.readings.models import DeadLetter

__all__ = ["FAILURES_A_MINUTE", "Attempts"]

FAILURES_A_MINUTE: Final = 10
"""Failures in the name of one device id that are answered plainly; further ones hear "too many"."""

_RECORDED_A_MINUTE: Final = 200
"""Failures of all ids together that reach the database."""

_IDS_WATCHED: Final = 10_000
_MINUTE_US: Final = 60_000_000
_REASON: Final = "registration_refused"


class Attempts:
    """Counts of the present minute, in one of so many processes: each has its share of the limits."""

    def __init__(self, processes: int = 1) -> None:
        self._plain = max(1, FAILURES_A_MINUTE // processes)
        self._at_most = max(1, _RECORDED_A_MINUTE // processes)
        self._lock = Lock()
        self._minute = 0
        self._failures: OrderedDict[str, int] = OrderedDict()
        self._recorded = 0

    def failed(self, device: str, path: str, detail: str, size: int, now_us: int) -> bool:
        """Note a failure; return whether it may still be answered plainly."""
        with self._lock:
            self._turn(now_us // _MINUTE_US)
            count = self._failures[device] = self._failures.get(device, 0) + 1
            while len(self._failures) > _IDS_WATCHED:
                self._failures.popitem(last=False)
            records = count <= self._plain and self._recorded < self._at_most
            self._recorded += records
        if records:
            _record(device, path, detail, size, now_us)
        return count <= self._plain

    def _turn(self, minute: int) -> None:
        if minute != self._minute:
            self._minute, self._recorded = minute, 0
            self._failures.clear()


def _record(device: str, path: str, detail: str, size: int, now_us: int) -> None:
    since_us = now_us - now_us % _MINUTE_US
    with transaction.atomic():
        same = DeadLetter.objects.filter(
            device_id=device, reason=_REASON, topic=path, detail=detail, at_us__gte=since_us
        )
        if not same.update(count=F("count") + 1):
            DeadLetter.objects.create(
                at_us=now_us, device_id=device, topic=path, reason=_REASON, detail=detail, size=size
            )
