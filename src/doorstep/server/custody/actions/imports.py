"""Sales and dispatches come as a file: order by order, with every bad row named by its line."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.actions.sales import record_sale
from doorstep.server.custody.queries import seller_of, wholesaler_at
from doorstep.server.custody.sale_rows import BadLine, SaleRow, read_rows, write_failures
from doorstep.server.custody.trading import ImportRun

__all__ = ["ROWS_CAP", "RUNS_KEPT", "UPLOAD_CAP", "ImportOutcome", "import_file", "import_sales"]

UPLOAD_CAP: Final = 2 * 1024 * 1024
"""Bytes of a file that somebody waits for; the command takes more."""

ROWS_CAP: Final = 20_000
"""Rows of such a file."""

RUNS_KEPT: Final = 20
"""Imports of an organisation whose bad rows can be fetched; older ones are forgotten."""

_AT_ONCE: Final = 5000
"""Rows of one order that are stored in one transaction."""

Advance = Callable[[int], None]
ImportOutcome = tuple[int, int, list[BadLine]]
"""Rows sold, rows that were sold so before, and bad rows."""


@dataclass(frozen=True, slots=True)
class _By:
    """Who tells what the file says."""

    seller: Organisation | None
    actor: str
    source: str
    now_us: int


def import_file(
    content: bytes, organisation: Organisation, *, actor: str, source: str, now_us: int
) -> ImportRun:
    """Store a file's good rows as told by the maker or a wholesaler, and keep the bad ones to be fetched.

    Raises MisuseError when the file as a whole is none, or is too long to wait for.
    """
    rows, bad = read_rows(content)
    if len(rows) + len(bad) > ROWS_CAP:
        raise MisuseError(f"the file has more than {ROWS_CAP} rows", next_step="Split it.")
    by = _By(seller_of(organisation), actor, source, now_us)
    stored, unchanged, refused = _store(_orders(rows), by, lambda _: None)
    bad += refused
    run = ImportRun.objects.create(
        organisation=organisation,
        actor=actor,
        at_us=now_us,
        stored=stored,
        unchanged=unchanged,
        failed=len(bad),
        failures=write_failures(bad) if bad else "",
    )
    kept = ImportRun.objects.filter(organisation=organisation).order_by("-pk")[:RUNS_KEPT]
    ImportRun.objects.filter(organisation=organisation).exclude(pk__in=[one.pk for one in kept]).delete()
    return run


def import_sales(
    rows: Sequence[SaleRow], *, actor: str, now_us: int, all_or_nothing: bool, advance: Advance
) -> ImportOutcome:
    """Store sales of the maker order by order; with ``all_or_nothing`` a bad row undoes everything.

    An interrupted import can be run again: what was stored is counted as unchanged.
    """
    by = _By(None, actor, "csv", now_us)
    if all_or_nothing:
        with transaction.atomic():
            sold, unchanged, bad = _store(_orders(rows), by, advance)
            transaction.set_rollback(bool(bad))
        return (0, 0, bad) if bad else (sold, unchanged, bad)
    return _store(_orders(rows), by, advance)


def _orders(rows: Iterable[SaleRow]) -> list[list[SaleRow]]:
    orders: dict[tuple[str, ...], list[SaleRow]] = {}
    for row in rows:
        key = (row.order, row.buyer_email.lower(), row.wholesaler.lower(), row.box)
        orders.setdefault(key, []).append(row)
    return list(orders.values())


def _store(orders: Iterable[list[SaleRow]], by: _By, advance: Advance) -> ImportOutcome:
    sold, unchanged, bad = 0, 0, list[BadLine]()
    for order in orders:
        for at in range(0, len(order), _AT_ONCE):
            part = order[at : at + _AT_ONCE]
            try:
                outcome = record_sale(
                    part[0].order,
                    [row.serial for row in part],
                    _buyer(part[0]),
                    actor=by.actor,
                    source=by.source,
                    now_us=by.now_us,
                    seller=by.seller,
                    box=part[0].box,
                    keep_good=True,
                )
            except MisuseError as error:
                bad += [_bad(row, "invalid", f"{error.message}. {error.next_step}") for row in part]
            else:
                sold, unchanged = sold + len(outcome.sold), unchanged + len(outcome.unchanged)
                bad += [_bad(part[one.row - 1], one.reason, one.sentence) for one in outcome.bad]
            advance(len(part))
    return sold, unchanged, bad


def _buyer(row: SaleRow) -> str | Organisation:
    return wholesaler_at(row.wholesaler) if row.wholesaler else row.buyer_email


def _bad(row: SaleRow, reason: str, sentence: str) -> BadLine:
    return BadLine(row.line, row.cells, reason, sentence)
