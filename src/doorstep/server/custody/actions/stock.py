"""Devices come into a stock, and wholesalers send them back to the maker."""

from collections.abc import Sequence

from django.db import transaction

from doorstep.ownership.ledger import Event, Kind
from doorstep.ownership.life import Life, Step, advance, can
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.lines import end_lines, receipts
from doorstep.server.custody.actions.rows import Holding as _Holding
from doorstep.server.custody.actions.rows import (
    Problem,
    RowsOutcome,
    Verdict,
    checked_reason,
    lock,
    move,
    sort_out,
)
from doorstep.server.custody.models import SaleLine

__all__ = ["receive", "return_to_maker", "take_into_stock"]


def receive(wholesaler: Organisation, serials: Sequence[str], *, actor: str, now_us: int) -> RowsOutcome:
    """Note that devices have come which were dispatched to a wholesaler; bad rows are left out."""

    def judge(one: _Holding) -> Verdict:
        if one.line is None or not one.is_held_by(wholesaler.pk):
            return _not_here(one.device.serial)
        return "good" if one.line.received_us is None else "unchanged"

    with transaction.atomic():
        good, outcome = sort_out(serials, lock(serials), judge, _not_here)
        lines = [one.line.pk for one in good if one.line is not None]
        SaleLine.objects.filter(pk__in=lines).update(received_us=now_us)
        ledger.append(receipts(good, actor), now_us)
    return outcome


def return_to_maker(
    wholesaler: Organisation, serials: Sequence[str], reason: str, *, actor: str, now_us: int
) -> RowsOutcome:
    """Send devices from a wholesaler's stock back to the maker; bad rows are left out.

    A device that has an owner is in nobody's stock. Raises MisuseError for a reason that is none.
    """
    why = checked_reason(reason)

    def judge(one: _Holding) -> Verdict:
        if not one.is_held_by(wholesaler.pk) or one.device.owner_id is not None:
            return _not_here(one.device.serial)
        if not can(Life(one.device.life), Step.RETURN):
            return (
                "wrong_state",
                f"Serial {one.device.serial} is {one.device.life}. Ask its maker.",
            )
        return "good"

    with transaction.atomic():
        good, outcome = sort_out(serials, lock(serials), judge, _not_here)
        came = receipts(good, actor)
        end_lines(good, "returned", now_us)
        move([one.device for one in good], lambda life: advance(life, Step.RETURN))
        back = [
            (one.device.pk, Event(Kind.RETURNED, one.device.device_id, actor, {"reason": why}))
            for one in good
        ]
        ledger.append(came + back, now_us)
    return outcome


def take_into_stock(serials: Sequence[str], *, actor: str, now_us: int) -> RowsOutcome:
    """Put devices into the maker's stock, from the line or as they come back; bad rows are left out."""

    def judge(one: _Holding) -> Verdict:
        if one.device.life == Life.STOCKED:
            return "unchanged"
        if one.device.owner_id is not None or not can(Life(one.device.life), Step.STOCK):
            return "wrong_state", (
                f"Serial {one.device.serial} is {one.device.life}. "
                "What comes from the line or was returned goes into stock."
            )
        return "good"

    with transaction.atomic():
        good, outcome = sort_out(serials, lock(serials), judge, _unknown)
        end_lines(good, "returned", now_us)
        move([one.device for one in good], lambda life: advance(life, Step.STOCK))
        events = [(one.device.pk, Event(Kind.STOCKED, one.device.device_id, actor, {})) for one in good]
        ledger.append(events, now_us)
    return outcome


def _not_here(serial: str) -> Problem:
    return "not_in_stock", f"Serial {serial} is not in your stock. Compare it with the label."


def _unknown(serial: str) -> Problem:
    return "unknown_serial", f"No device has the serial {serial}. Compare it with the label."
