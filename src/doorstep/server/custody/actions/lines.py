"""A device's place moves from one sale to the next, and what it left stays on record."""

from collections.abc import Iterable

from doorstep.ownership.ledger import Event, Kind
from doorstep.server.custody.actions.rows import Holding
from doorstep.server.custody.models import PastSaleLine, SaleLine

__all__ = ["end_lines", "receipts"]


def receipts(holdings: Iterable[Holding], actor: str) -> list[tuple[int, Event]]:
    """Return that devices have come, of which their holder never said so before they go on."""
    return [
        (one.device.pk, Event(Kind.RECEIVED, one.device.device_id, actor, {"order": one.line.sale.order}))
        for one in holdings
        if one.line is not None and one.wholesaler is not None and one.line.received_us is None
    ]


def end_lines(holdings: Iterable[Holding], outcome: str, now_us: int) -> None:
    """Take devices out of the sales in which they stand."""
    lines = [one.line for one in holdings if one.line is not None]
    PastSaleLine.objects.bulk_create(
        PastSaleLine(
            sale_id=line.sale_id,
            device_id=line.device_id,
            box=line.box,
            received_us=line.received_us if outcome == "withdrawn" else line.received_us or now_us,
            ended_us=now_us,
            outcome=outcome,
        )
        for line in lines
    )
    SaleLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
