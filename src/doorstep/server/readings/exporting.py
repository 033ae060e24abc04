"""Readings as a file that people open with what they have."""

import csv
import gzip
import io
from collections.abc import Iterable

from doorstep.server.clock import from_us
from doorstep.server.readings.queries import Point, points_of

__all__ = ["csv_piece"]

_HEAD = ("time", "reading", "value", "unit", "channel")


def csv_piece(messages: Iterable[tuple[bytes, int, str]], *, with_head: bool) -> bytes:
    """Return a gzip member with the readings of messages (payload, arrival, channel) as CSV, a line each."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    if with_head:
        lines.writerow(_HEAD)
    for payload, received_us, channel in messages:
        lines.writerows(_line(point) for point in points_of(payload, received_us, channel))
    return gzip.compress(text.getvalue().encode(), mtime=0)


def _line(point: Point) -> tuple[object, ...]:
    at = from_us(point.time_us).isoformat()
    return at, _tame(point.name), _tame(point.value), _tame(point.unit), point.channel


def _tame(value: object) -> object:
    """Keep a spreadsheet from running what a device said as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
