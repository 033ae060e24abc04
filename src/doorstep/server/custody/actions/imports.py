"""Sales come as a file: order by order, with every bad row named by its line."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from django.db import transaction

from doorstep.errors import MisuseError
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.actions.sales import record_sale
from doorstep.server.custody.queries import wholesaler_at
from doorstep.server.custody.sale_rows import BadLine, SaleRow

__all__ = ["ImportOutcome", "import_sales"]

_AT_ONCE: Final = 5000
"""Rows of one order that are stored in one transaction."""

Advance = Callable[[int], None]
ImportOutcome = tuple[int, int, list[BadLine]]
"""Rows sold, rows that were sold so before, and bad rows."""


def import_sales(
    rows: Sequence[SaleRow], *, actor: str, now_us: int, all_or_nothing: bool, advance: Advance
) -> ImportOutcome:
    """Store sales order by order and return how it went; with ``all_or_nothing`` a bad row undoes everything.

    An interrupted import can be run again: what was stored is counted as unchanged.
    """
    orders: dict[tuple[str, str, str], list[SaleRow]] = {}
    for row in rows:
        orders.setdefault((row.order, row.buyer_email.lower(), row.wholesaler.lower()), []).append(row)
    sold, unchanged, bad = 0, 0, list[BadLine]()
    if all_or_nothing:
        with transaction.atomic():
            sold, unchanged, bad = _store(orders.values(), actor, now_us, advance)
            transaction.set_rollback(bool(bad))
        return (0, 0, bad) if bad else (sold, unchanged, bad)
    return _store(orders.values(), actor, now_us, advance)


def _store(orders: Iterable[list[SaleRow]], actor: str, now_us: int, advance: Advance) -> ImportOutcome:
    sold, unchanged, bad = 0, 0, list[BadLine]()
    for order in orders:
        for at in range(0, len(order), _AT_ONCE):
            part = order[at : at + _AT_ONCE]
            try:
                outcome = record_sale(
                    part[0].order,
                    [row.serial for row in part],
                    _buyer(part[0]),
                    actor=actor,
                    source="csv",
                    now_us=now_us,
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
