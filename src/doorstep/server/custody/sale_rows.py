"""Sales and dispatches as CSV: rows with their line numbers, and bad rows written to be sent again."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage, MisuseError

__all__ = ["COLUMNS", "FILE_CAP", "BadLine", "SaleRow", "read_rows", "write_failures"]

COLUMNS: Final = ("order", "serial", "buyer_email", "wholesaler", "box")
FILE_CAP: Final = 64 * 1024 * 1024
"""Bytes of one file."""

_CELL_CAP: Final = 254
_PROBLEM: Final = "problem"
"""Column that we add to failures and pass over when they come back."""


@dataclass(frozen=True, slots=True)
class SaleRow:
    """One device of an order, as a line of the file says."""

    line: int
    order: str
    serial: str
    buyer_email: str
    wholesaler: str
    box: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it was written."""
        return self.order, self.serial, self.buyer_email, self.wholesaler, self.box


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that can't be stored, and why."""

    line: int
    cells: tuple[str, ...]
    reason: str
    """For programs."""
    sentence: str
    """For people, with the next step."""


def read_rows(content: bytes) -> tuple[list[SaleRow], list[BadLine]]:
    """Read a file with a header line, comma or semicolon, UTF-8; return good rows and bad lines.

    Raises MisuseError when the file as a whole is none: not text, no header, a column missing or unknown.
    """
    if len(content) > FILE_CAP:
        raise MisuseError(f"the file has more than {FILE_CAP >> 20} MiB", next_step="Split it.")
    text = _text(content)
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[SaleRow] = []
    bad: list[BadLine] = []
    try:
        places = _places(next(reader, []))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _sort(reader.line_num, cells, places, rows, bad)
    except csv.Error as error:
        raise MisuseError(
            f"line {reader.line_num} is not CSV: {error}", next_step="Mend the quotes on that line."
        ) from error
    return rows, bad


def write_failures(failures: Iterable[BadLine]) -> str:
    """Return a CSV file with the same columns and one more that says what to mend."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, _PROBLEM])
    for bad in sorted(failures, key=lambda one: one.line):
        padded = [*bad.cells, *[""] * len(COLUMNS)][: len(COLUMNS)]
        writer.writerow([*padded, bad.sentence])
    return out.getvalue()


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MisuseError(
            f"the file is not UTF-8 text (byte {error.start})", next_step="Save it as CSV UTF-8."
        ) from error


def _places(header: Sequence[str]) -> dict[str, int]:
    names = [cell.strip().lower() for cell in header]
    unknown = [name for name in names if name not in {*COLUMNS, _PROBLEM}]
    absent = [name for name in ("order", "serial") if name not in names]
    if unknown or absent or len(set(names)) < len(names):
        raise MisuseError(
            f"line 1 has the columns {', '.join(names)[:100]!a}",
            next_step=f"Use these: {', '.join(COLUMNS)}; a row has buyer_email or wholesaler.",
        )
    return {name: place for place, name in enumerate(names) if name != _PROBLEM}


def _sort(
    line: int, cells: list[str], places: dict[str, int], rows: list[SaleRow], bad: list[BadLine]
) -> None:
    wanted = tuple(_cell(cells, places.get(name)) for name in COLUMNS)
    row = SaleRow(line, *wanted)
    try:
        _check(row, len(cells), len(places))
    except MalformedMessage as error:
        bad.append(BadLine(line, wanted, "malformed_row", error.message))
    else:
        rows.append(row)


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _check(row: SaleRow, have: int, need: int) -> None:
    if have not in {need, need + 1}:
        raise MalformedMessage(f"This line has {have} cells where {need} are needed. Compare the commas.")
    if any(len(cell) > _CELL_CAP or not cell.isprintable() for cell in row.cells):
        raise MalformedMessage("A cell is too long or has control characters. Write it again.")
    if not row.order or not row.serial:
        raise MalformedMessage("This line lacks its order or its serial. Fill them in.")
    if bool(row.buyer_email) == bool(row.wholesaler):
        raise MalformedMessage("A sale has one buyer. Fill in buyer_email or wholesaler.")
