"""What was recorded by mistake, or called back on its way, is corrected by new entries of the ledger."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from doorstep.errors import MisuseError
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step, advance, can
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.lines import end_lines
from doorstep.server.custody.actions.rows import (
    Holding,
    Problem,
    RowsOutcome,
    Verdict,
    checked_reason,
    lock,
    move,
    sort_out,
)
from doorstep.server.custody.models import CustodyEntry, PastSaleLine, Sale, SaleLine

__all__ = ["withdraw"]


def withdraw(  # noqa: PLR0913 - which devices of which order, why, and who says so
    seller: Organisation | None,
    order: str,
    serials: Sequence[str],
    reason: str,
    *,
    actor: str,
    now_us: int,
) -> RowsOutcome:
    """Take devices out of an order as if they had never stood in it; bad rows are left out.

    That goes until a wholesaler has received them, or a customer owns them: then they are returned. The
    seller holds them again as before. Raises MisuseError for an order that the seller does not have.
    """
    why = checked_reason(reason)
    with transaction.atomic():
        sale = Sale.objects.filter(seller=seller, order=order.strip()).first()
        if sale is None:
            raise MisuseError(
                f"there is no order {order.strip()[:80]!a} of yours", next_step="Compare the number."
            )
        found = lock(serials)
        good, outcome = sort_out(
            serials, found, lambda one: _judged(sale, one), lambda serial: _not_in(sale, serial)
        )
        _store(sale, good, why, actor, now_us)
    return outcome


def _judged(sale: Sale, one: Holding) -> Verdict:
    device = one.device
    if one.line is None or one.line.sale_id != sale.pk:
        return _not_in(sale, device.serial)
    if one.line.received_us is not None:
        return "received", f"Serial {device.serial} has been received. Ask for its return."
    if device.owner_id is not None and sale.wholesaler_id is None:
        return "owned", f"Serial {device.serial} has an owner by now, who can give it back."
    if not can(Life(device.life), _step(sale)):
        return "wrong_state", f"Serial {device.serial} is {device.life}. It can't be taken back."
    return "good"


def _not_in(sale: Sale, serial: str) -> Problem:
    return "not_in_order", f"Serial {serial} does not stand in order {sale.order}. Compare the note."


def _step(sale: Sale) -> Step:
    return Step.WITHDRAW_TO_MAKER if sale.seller_id is None else Step.WITHDRAW_TO_WHOLESALER


def _store(sale: Sale, good: Sequence[Holding], why: str, actor: str, now_us: int) -> None:
    wrong = _wrong_entries(sale, good)
    end_lines(good, "withdrawn", now_us)
    if sale.seller_id is not None:
        _hand_back(sale.seller_id, good)
    move([one.device for one in good], lambda life: advance(life, _step(sale)))
    events = [
        (
            one.device.pk,
            Event(
                Kind.CORRECTED,
                one.device.device_id,
                actor,
                {"entry": wrong[one.device.pk], "reason": why},
            ),
        )
        for one in good
    ]
    ledger.append(events, now_us)


def _wrong_entries(sale: Sale, good: Sequence[Holding]) -> dict[int, int]:
    """Return for each device the entry that told of this order: the newest of its kind."""
    kind = Kind.DISPATCHED if sale.wholesaler_id else Kind.SOLD
    entries = CustodyEntry.objects.filter(device__in=[one.device.pk for one in good], kind=kind)
    return dict(entries.values_list("device").annotate(Max("number")))


def _hand_back(seller: int, good: Sequence[Holding]) -> None:
    """Let devices stand again in the sale by which their seller had them."""
    past = PastSaleLine.objects.filter(
        device__in=[one.device.pk for one in good], sale__wholesaler=seller, outcome="passed_on"
    )
    newest = {line.device_id: line for line in past.order_by("pk")}
    SaleLine.objects.bulk_create(
        SaleLine(sale_id=line.sale_id, device_id=device, box=line.box, received_us=line.received_us)
        for device, line in newest.items()
    )
    PastSaleLine.objects.filter(pk__in=[line.pk for line in newest.values()]).delete()
