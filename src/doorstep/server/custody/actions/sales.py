"""A holder sells devices to a customer, or dispatches them to a wholesaler."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from doorstep.errors import MisuseError, RefusedError
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step, advance, can
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.claiming import judge_held_claims
from doorstep.server.custody.actions.lines import end_lines, receipts
from doorstep.server.custody.actions.rows import (
    SERIALS_CAP,
    BadRow,
    Holding,
    Problem,
    Verdict,
    lock,
    move,
    sort_out,
)
from doorstep.server.custody.models import PastSaleLine, Sale, SaleLine
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.outbox import Message, emit_all

__all__ = ["BOX_CAP", "SERIALS_CAP", "BadRow", "SaleOutcome", "SaleRefused", "checked_order", "record_sale"]

BOX_CAP: Final = 40
"""Characters of a box's label."""

_ORDER_CAP: Final = 80


class SaleRefused(RefusedError):
    """A sale was not stored, because of the rows it names."""

    def __init__(self, order: str, rows: Sequence[BadRow]) -> None:
        """Keep the rows that stood in the way."""
        super().__init__(
            f"order {order}: {len(rows)} of its serials can't be sold; nothing was stored",
            next_step="Mend the named rows and send the whole order again.",
        )
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class SaleOutcome:
    """What a sale did."""

    order: str
    sold: tuple[str, ...]
    """Serials that are sold by this call."""
    unchanged: tuple[str, ...] = ()
    """Serials that this order had sold to this buyer before."""
    bad: tuple[BadRow, ...] = field(default=())
    """Rows left out; only with ``keep_good``."""


def record_sale(  # noqa: PLR0913 - a sale has this many facts
    order: str,
    serials: Sequence[str],
    buyer: str | Organisation,
    *,
    actor: str,
    source: str,
    now_us: int,
    seller: Organisation | None = None,
    box: str = "",
    keep_good: bool = False,
) -> SaleOutcome:
    """Store an order's devices as sold to a customer's e-mail address, or dispatched to a wholesaler.

    ``seller`` is the wholesaler that holds them, or None for the maker; what they do not hold is a bad row.
    All or nothing: SaleRefused names each bad row. With ``keep_good`` the good rows are stored and the bad
    ones come back in the outcome. The same order again to the same buyer adds what is new. Raises
    MisuseError for an order, box or buyer that can't be.
    """
    order, box = checked_order(order), _box(box)
    email, wholesaler = _buyer(buyer, seller)
    with transaction.atomic():
        sale = _sale(order, seller, email, wholesaler, source)
        found = lock(serials)
        before = _passed_on(sale, found.values())
        good, outcome = sort_out(
            serials, found, lambda one: _judged(sale, one, before), lambda serial: _missing(sale, serial)
        )
        if outcome.bad and not keep_good:
            raise SaleRefused(order, outcome.bad)
        _store(sale, good, box, actor, now_us)
        if good:
            _tell(sale, outcome.done, now_us)
        if not good and not outcome.unchanged:
            transaction.set_rollback(True)
    return SaleOutcome(order, outcome.done, outcome.unchanged, outcome.bad)


def checked_order(order: str) -> str:
    """Return an order's number without blanks around it; raise MisuseError."""
    order = order.strip()
    if not 0 < len(order) <= _ORDER_CAP or not order.isprintable():
        raise MisuseError(
            f"an order number has 1 to {_ORDER_CAP} printable characters",
            next_step="Check the order's number.",
        )
    return order


def _box(box: str) -> str:
    box = box.strip()
    if len(box) > BOX_CAP or not box.isprintable():
        raise MisuseError(
            f"a box's label has at most {BOX_CAP} printable characters", next_step="Check the label."
        )
    return box


def _buyer(buyer: str | Organisation, seller: Organisation | None) -> tuple[str, Organisation | None]:
    if isinstance(buyer, Organisation):
        if buyer.kind != OrganisationKind.WHOLESALER:
            raise MisuseError(
                f"{buyer.name} is no wholesaler", next_step="Name a customer by e-mail address instead."
            )
        if buyer == seller:
            raise MisuseError("nobody dispatches to themselves", next_step="Name another wholesaler.")
        return "", buyer
    email = buyer.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise MisuseError(
            "the buyer's e-mail address is not one", next_step="Check the address in the ERP."
        ) from error
    return email, None


def _sale(
    order: str, seller: Organisation | None, email: str, wholesaler: Organisation | None, source: str
) -> Sale:
    sale, _ = Sale.objects.select_for_update().get_or_create(
        order=order,
        seller=seller,
        defaults={"buyer_email": email, "wholesaler": wholesaler, "source": source},
    )
    if (sale.buyer_email, sale.wholesaler_id) != (email, wholesaler.pk if wholesaler else None):
        raise MisuseError(
            f"order {order} is known with another buyer",
            next_step="Use a new order number, or send the buyer that the order had.",
        )
    return sale


def _passed_on(sale: Sale, holdings: Iterable[Holding]) -> set[int]:
    """Return those devices that stood in this sale and that its buyer has passed on."""
    devices = [one.device.pk for one in holdings]
    past = PastSaleLine.objects.filter(sale=sale, outcome="passed_on", device__in=devices)
    return set(past.values_list("device_id", flat=True))


def _judged(sale: Sale, holding: Holding, before: set[int]) -> Verdict:
    device, line = holding.device, holding.line
    if line is not None and line.sale_id == sale.pk:
        return "unchanged"
    if not holding.is_held_by(sale.seller_id):
        return "unchanged" if device.pk in before else _held_elsewhere(sale, holding)
    if device.blocked:
        return "blocked", f"Serial {device.serial} is blocked. Take another device."
    if not can(Life(device.life), _step(sale)):
        return "wrong_state", f"Serial {device.serial} is {device.life}. Take another device."
    return "good"


def _held_elsewhere(sale: Sale, holding: Holding) -> Problem:
    serial = holding.device.serial
    if sale.seller_id is not None:
        return _missing(sale, serial)
    if holding.wholesaler is not None:
        return "already_sold", (
            f"Serial {serial} was dispatched to {holding.wholesaler}. "
            "They sell it or return it, or you take the dispatch back."
        )
    return "already_sold", f"Serial {serial} was sold in another order. Ask who holds that device."


def _missing(sale: Sale, serial: str) -> Problem:
    if sale.seller_id is not None:
        return "not_in_stock", f"Serial {serial} is not in your stock. Compare it with the label."
    return "unknown_serial", f"No device has the serial {serial}. Compare it with the label."


def _step(sale: Sale) -> Step:
    return Step.DISPATCH if sale.wholesaler_id else Step.SELL


def _store(sale: Sale, good: Sequence[Holding], box: str, actor: str, now_us: int) -> None:
    step = _step(sale)
    devices = [one.device for one in good]
    came = receipts(good, actor)
    end_lines(good, "passed_on", now_us)
    move(devices, lambda life: advance(life, step))
    SaleLine.objects.bulk_create(SaleLine(sale=sale, device=device, box=box) for device in devices)
    bound = judge_held_claims(devices, now_us)
    ledger.append(came + [(d.pk, _event(sale, d.device_id, actor)) for d in devices] + bound, now_us)


def _tell(sale: Sale, serials: Sequence[str], now_us: int) -> None:
    """Tell the programs of the seller, and of the wholesaler that bought; nobody else's."""
    known = {"order": sale.order, "serials": list(serials)}
    buyer = {"buyer_email": sale.buyer_email, "wholesaler": sale.wholesaler.name if sale.wholesaler else ""}
    if sale.seller_id is not None:
        told = {sale.seller_id: known | buyer}
    else:
        maker = Organisation.objects.filter(kind=OrganisationKind.MAKER).values_list("pk", flat=True)
        told = dict.fromkeys(maker, known | buyer)
    if sale.wholesaler_id is not None:
        told[sale.wholesaler_id] = known
    emit_all([Message(EventType.SALE_RECORDED, one, body) for one, body in told.items()], now_us)


def _event(sale: Sale, device_id: str, actor: str) -> Event:
    if sale.wholesaler_id:
        detail: dict[str, str | int] = {"order": sale.order, "organisation": sale.wholesaler_id}
        return Event(Kind.DISPATCHED, device_id, actor, detail)
    return Event(Kind.SOLD, device_id, actor, {"order": sale.order})
