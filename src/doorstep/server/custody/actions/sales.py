"""The ERP sold devices."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from doorstep.errors import MisuseError, RefusedError
from doorstep.identity.ids import MalformedId, check_serial
from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step, advance, can
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.claiming import judge_held_claims
from doorstep.server.custody.models import Sale, SaleLine
from doorstep.server.fleet.models import Device
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.outbox import Message, emit_all

__all__ = ["SERIALS_CAP", "BadRow", "SaleOutcome", "SaleRefused", "record_sale"]

SERIALS_CAP: Final = 10_000
"""Devices in one sale."""

_ORDER_CAP: Final = 80


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be stored, and why."""

    row: int
    """Place among the serials as they were given, from 1."""
    serial: str
    reason: str
    """For programs: malformed_serial, named_twice, unknown_serial, already_sold, wrong_state, blocked."""
    sentence: str
    """For people, with the next step."""


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
    keep_good: bool = False,
) -> SaleOutcome:
    """Store an order's devices as sold to a customer's e-mail address or to a wholesaler.

    All or nothing: SaleRefused names each bad row. With ``keep_good`` the good rows are stored and the bad
    ones come back in the outcome. The same order again to the same buyer adds what is new. Raises
    MisuseError for an order or buyer that can't be.
    """
    order = _order(order)
    email, wholesaler = _buyer(buyer)
    with transaction.atomic():
        sale = _sale(order, email, wholesaler, source)
        devices = _locked(serials)
        good, unchanged, bad = _sort_out(sale, serials, devices)
        if bad and not keep_good:
            raise SaleRefused(order, bad)
        _store(sale, good, actor, now_us)
        if good:
            _tell(sale, good, now_us)
        if not good and not unchanged:
            transaction.set_rollback(True)
    return SaleOutcome(order, tuple(d.serial for d in good), tuple(unchanged), tuple(bad))


def _order(order: str) -> str:
    order = order.strip()
    if not 0 < len(order) <= _ORDER_CAP or not order.isprintable():
        raise MisuseError(
            f"an order number has 1 to {_ORDER_CAP} printable characters",
            next_step="Check the order's number.",
        )
    return order


def _buyer(buyer: str | Organisation) -> tuple[str, Organisation | None]:
    if isinstance(buyer, Organisation):
        if buyer.kind != OrganisationKind.WHOLESALER:
            raise MisuseError(
                f"{buyer.name} is no wholesaler", next_step="Name a customer by e-mail address instead."
            )
        return "", buyer
    email = buyer.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise MisuseError(
            "the buyer's e-mail address is not one", next_step="Check the address in the ERP."
        ) from error
    return email, None


def _sale(order: str, email: str, wholesaler: Organisation | None, source: str) -> Sale:
    sale, _ = Sale.objects.select_for_update().get_or_create(
        order=order, defaults={"buyer_email": email, "wholesaler": wholesaler, "source": source}
    )
    if (sale.buyer_email, sale.wholesaler_id) != (email, wholesaler.pk if wholesaler else None):
        raise MisuseError(
            f"order {order} is known with another buyer",
            next_step="Use a new order number, or send the buyer that the order had.",
        )
    return sale


def _locked(serials: Sequence[str]) -> dict[str, Device]:
    if not 0 < len(serials) <= SERIALS_CAP:
        raise MisuseError(
            f"a sale has 1 to {SERIALS_CAP} serials, this has {len(serials)}", next_step="Split the order."
        )
    rows = (
        Device.objects.select_for_update()
        .filter(serial__in={one for one in serials if one.isprintable()})
        .order_by("pk")
    )
    return {device.serial: device for device in rows}


def _sort_out(
    sale: Sale, serials: Sequence[str], devices: dict[str, Device]
) -> tuple[list[Device], list[str], list[BadRow]]:
    sold_in = dict(
        SaleLine.objects.filter(device__in=list(devices.values())).values_list("device__serial", "sale_id")
    )
    times = Counter(serials)
    good: list[Device] = []
    unchanged: list[str] = []
    bad: list[BadRow] = []
    for row, serial in enumerate(serials, 1):
        if sold_in.get(serial) == sale.pk:
            unchanged.append(serial)
            continue
        problem = _problem(sale, serial, times[serial], devices.get(serial), sold=serial in sold_in)
        if problem:
            bad.append(BadRow(row, serial[:60], *problem))
        else:
            good.append(devices[serial])
    return good, unchanged, bad


def _problem(
    sale: Sale, serial: str, times: int, device: Device | None, *, sold: bool
) -> tuple[str, str] | None:
    try:
        check_serial(serial)
    except MalformedId as error:
        return "malformed_serial", f"{error.message}. Read the label again."
    if times > 1:
        return "named_twice", f"Serial {serial} stands {times} times in this order. Keep it once."
    if device is None:
        return "unknown_serial", f"No device has the serial {serial}. Compare it with the label."
    if sold:
        return "already_sold", f"Serial {serial} was sold in another order. Ask who holds that device."
    return _unsellable(sale, device)


def _unsellable(sale: Sale, device: Device) -> tuple[str, str] | None:
    if device.blocked:
        return "blocked", f"Serial {device.serial} is blocked. Take another device."
    if not can(Life(device.life), _step(sale)):
        sentence = f"Serial {device.serial} is {device.life} and can't be sold. Take another device."
        return "wrong_state", sentence
    return None


def _step(sale: Sale) -> Step:
    return Step.DISPATCH if sale.wholesaler_id else Step.SELL


def _store(sale: Sale, devices: list[Device], actor: str, now_us: int) -> None:
    for before in {device.life for device in devices}:
        moved = [device for device in devices if device.life == before]
        after = advance(Life(before), _step(sale))
        Device.objects.filter(pk__in=[device.pk for device in moved]).update(life=after)
        for device in moved:
            device.life = after
    SaleLine.objects.bulk_create([SaleLine(sale=sale, device=device) for device in devices])
    bound = judge_held_claims(devices, now_us)
    ledger.append([(d.pk, _event(sale, d.device_id, actor)) for d in devices] + bound, now_us)


def _tell(sale: Sale, devices: list[Device], now_us: int) -> None:
    """Tell the maker's programs of the sale, and the wholesaler's if one bought."""
    known = {"order": sale.order, "serials": [device.serial for device in devices]}
    buyer = {"buyer_email": sale.buyer_email, "wholesaler": sale.wholesaler.name if sale.wholesaler else ""}
    maker = Organisation.objects.filter(kind=OrganisationKind.MAKER).values_list("pk", flat=True)
    messages = [Message(EventType.SALE_RECORDED, one, known | buyer) for one in maker]
    if sale.wholesaler_id:
        messages.append(Message(EventType.SALE_RECORDED, sale.wholesaler_id, known))
    emit_all(messages, now_us)


def _event(sale: Sale, device_id: str, actor: str) -> Event:
    if sale.wholesaler_id:
        detail: dict[str, str | int] = {"order": sale.order, "organisation": sale.wholesaler_id}
        return Event(Kind.DISPATCHED, device_id, actor, detail)
    return Event(Kind.SOLD, device_id, actor, {"order": sale.order})
