"""Readings of one device as a file, in the order of arrival. Who calls has found the device."""

import csv
import enum
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from doorstep.errors import MisuseError, UnavailableError
from doorstep.server.clock import from_us, to_us
from doorstep.server.fleet.models import Device
from doorstep.server.readings.charts import first_place, messages_from
from doorstep.server.readings.digest import mark_of
from doorstep.server.readings.models import RollUpMark
from doorstep.server.readings.queries import points_of
from doorstep.server.readings.rolling import Place

__all__ = [
    "COLUMNS",
    "MOST_DAYS_PARQUET",
    "File",
    "Format",
    "csv_of",
    "file_of",
    "parquet_is_there",
    "parquet_of",
    "rows_of",
]

COLUMNS: Final = ("time", "received", "device", "name", "unit", "value", "text")
MOST_DAYS_PARQUET: Final = 366
"""Of one file, which is made in memory."""
_DAY_US: Final = 86_400 * 1_000_000
_MESSAGES_AT_ONCE: Final = 2_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Format(enum.StrEnum):
    """Kinds of file."""

    CSV = "csv"
    PARQUET = "parquet"


class File(NamedTuple):
    """A file that is made while it is read."""

    name: str
    media: str
    pieces: Iterator[str] | Iterator[bytes]


class Row(NamedTuple):
    """One reading. A number stands in ``value`` (yes and no as 1 and 0), anything else in ``text``."""

    time_us: int
    received_us: int
    device: str
    name: str
    unit: str
    value: float | None
    text: str


def file_of(device: Device, since: date, until: date, kind: Format) -> File:
    """Return the readings from one day of UTC to another, that one included.

    Raises MisuseError for days in the wrong order and for too many in a Parquet file, UnavailableError
    where this server makes none.
    """
    if until < since:
        raise MisuseError("the last day is before the first", next_step="Swap them.")
    since_us, until_us = _midnight_us(since), _midnight_us(until) + _DAY_US
    name = f"{device.device_id}-{since}-{until}.{kind}"
    if kind is Format.CSV:
        return File(name, "text/csv; charset=utf-8; header=present", csv_of(device, since_us, until_us))
    if (until - since).days >= MOST_DAYS_PARQUET:
        raise MisuseError("this is too long for a Parquet file", next_step="Ask for at most a year at once.")
    return File(name, "application/vnd.apache.parquet", iter([parquet_of(device, since_us, until_us)]))


def rows_of(device: Device, since_us: int, until_us: int) -> Iterator[list[Row]]:
    """Yield the readings whose time lies within, some thousands at once."""
    mark = mark_of(RollUpMark.objects.filter(pk=device.pk).first())
    place: Place | None = first_place(device, since_us, mark)
    while place is not None:
        found = messages_from(device, place).order_by("epoch", "seq")
        some = list(
            found.values_list("epoch", "seq", "payload", "received_us", "channel")[:_MESSAGES_AT_ONCE]
        )
        yield [
            Row(point.time_us, received_us, device.device_id, point.name, point.unit, *_value(point.value))
            for _, _, payload, received_us, channel in some
            for point in points_of(payload, received_us, channel)
            if since_us <= point.time_us < until_us
        ]
        place = Place(some[-1][0], some[-1][1] + 1) if len(some) == _MESSAGES_AT_ONCE else None


def csv_of(device: Device, since_us: int, until_us: int) -> Iterator[str]:
    """Yield a CSV file (RFC 4180) in pieces; a text that a spreadsheet would run as a formula is quoted."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(COLUMNS)
    for rows in rows_of(device, since_us, until_us):
        writer.writerows(
            (_iso(row.time_us), _iso(row.received_us), *row[2:5], row.value, _inert(row.text)) for row in rows
        )
        yield page.getvalue()
        page.seek(0)
        page.truncate()


def parquet_is_there() -> bool:
    """Whether the library for Parquet files is installed: ``pip install doorstep[parquet]``."""
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - an extra
    except ImportError:
        return False
    return True


def parquet_of(device: Device, since_us: int, until_us: int) -> bytes:
    """Return a Parquet file; raise UnavailableError when the library is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UnavailableError(
            "Parquet files need a library that is not installed",
            next_step="Ask for CSV, or install doorstep[parquet] on the server.",
        ) from error
    instant = pa.timestamp("us", tz="UTC")
    types = (instant, instant, pa.string(), pa.string(), pa.string(), pa.float64(), pa.string())
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
    page = io.BytesIO()
    with pq.ParquetWriter(page, schema, compression="zstd") as writer:
        for rows in rows_of(device, since_us, until_us):
            columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
            arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return page.getvalue()


def _value(value: float | bool | str) -> tuple[float | None, str]:  # noqa: FBT001 - a value, not a switch
    return (None, value) if isinstance(value, str) else (float(value), "")


def _midnight_us(day: date) -> int:
    return to_us(datetime.combine(day, datetime.min.time(), UTC))


def _iso(time_us: int) -> str:
    return from_us(time_us).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
