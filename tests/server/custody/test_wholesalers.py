"""From the maker over wholesalers to a customer: who holds what, and what the ledger says of it."""

import os

import pytest

from doorstep.errors import MisuseError
from doorstep.ownership.ledger import Entry, Event
from doorstep.server.accounts.models import Organisation
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.imports import RUNS_KEPT
from doorstep.server.custody.actions.rows import RowsOutcome
from doorstep.server.custody.models import PastSaleLine, SaleLine
from doorstep.server.custody.queries import (
    all_sales,
    deliveries_to,
    sales_by,
    serials_of,
    stock_of,
    wholesaler_at,
)
from doorstep.server.custody.trading import ImportRun
from doorstep.server.fleet.models import Device
from tests.server.making import MadeDevice, customer, devices, maker, wholesaler

pytestmark = pytest.mark.usefixtures("rolled_back")


def order() -> str:
    return f"O-{os.urandom(4).hex()}"


def by(organisation: Organisation | None) -> str:
    return f"user:1@{organisation.pk}" if organisation else "operator"


def send(
    made: list[MadeDevice],
    buyer: Organisation | str,
    seller: Organisation | None = None,
    number: str = "",
    box: str = "",
) -> str:
    number = number or order()
    actions.record_sale(
        number,
        [one.serial for one in made],
        buyer,
        actor=by(seller),
        source="api",
        now_us=now_us(),
        seller=seller,
        box=box,
    )
    return number


def received(at: Organisation, *made: MadeDevice) -> RowsOutcome:
    return actions.receive(at, [one.serial for one in made], actor=by(at), now_us=now_us())


def returned(at: Organisation, *made: MadeDevice) -> RowsOutcome:
    serials = [one.serial for one in made]
    return actions.return_to_maker(at, serials, "not sold", actor=by(at), now_us=now_us())


def withdrawn(seller: Organisation | None, number: str, *made: MadeDevice) -> RowsOutcome:
    serials = [one.serial for one in made]
    return actions.withdraw(seller, number, serials, "typed wrong", actor=by(seller), now_us=now_us())


def events(device: MadeDevice) -> list[Event]:
    rows = device.row.custody.order_by("number")
    return [Entry.from_body(bytes(row.body)).event for row in rows]


def kinds(device: MadeDevice) -> list[str]:
    return [event.kind for event in events(device)]


def holds(organisation: Organisation) -> set[str]:
    return set(stock_of(organisation).values_list("device__serial", flat=True))


def reasons(outcome: RowsOutcome) -> list[str]:
    return [row.reason for row in outcome.bad]


def test_device_goes_over_two_wholesalers_to_a_customer() -> None:
    [device], (first, second) = devices(), (wholesaler(), wholesaler())
    actions.take_into_stock([device.serial], actor="operator", now_us=now_us())
    send([device], first)
    received(first, device)
    number = send([device], second, first)
    assert (holds(first), holds(second)) == (set(), {device.serial})
    received(second, device)
    sold = send([device], "ada@example.org", second)
    assert kinds(device) == ["made", "stocked", "dispatched", "received", "dispatched", "received", "sold"]
    assert [event.actor for event in events(device)][-3:] == [by(first), by(second), by(second)]
    assert events(device)[4].detail == {"order": number, "organisation": second.pk}
    assert (events(device)[-1].detail, device.row.life) == ({"order": sold}, "sold")
    assert (holds(first), holds(second)) == (set(), set())
    ledger.verify_all()


def test_wholesaler_passes_on_a_part_of_a_box() -> None:
    made, (first, second) = devices(4), (wholesaler(), wholesaler())
    send(made, first, box="PALLET-7")
    assert serials_of(first, ["PALLET-7"]) == sorted(one.serial for one in made)
    number = send(made[:1], second, first, box="P-7/a")
    assert send(made[1:3], second, first, number, box="P-7/b") == number
    assert serials_of(first, ["PALLET-7", made[0].device_id]) == [made[3].serial, made[0].device_id]
    assert holds(second) == {one.serial for one in made[:3]}
    assert SaleLine.objects.get(device=made[1].row).box == "P-7/b"
    assert {sale.line_count for sale in deliveries_to(first)} == {4}  # type: ignore[attr-defined]
    assert [sale.line_count for sale in sales_by(first)] == [3]  # type: ignore[attr-defined]


def test_device_that_is_passed_on_unreceived_is_received_by_that() -> None:
    [device], first = devices(), wholesaler()
    incoming = send([device], first)
    send([device], "ada@example.org", first)
    assert kinds(device)[-3:] == ["dispatched", "received", "sold"]
    assert events(device)[-2].detail == {"order": incoming}


def test_wholesaler_can_not_tell_foreign_from_missing() -> None:
    mine, made = wholesaler(), devices(3)
    send(made[:1], wholesaler())
    send(made[1:2], "ada@example.org")
    serials = [*(one.serial for one in made), "SN-nobody"]
    outcomes = [
        received(mine, *made),
        returned(mine, *made),
        actions.receive(mine, ["SN-nobody"], actor="x", now_us=1),
        actions.return_to_maker(mine, ["SN-nobody"], "x", actor="x", now_us=1),
    ]
    said = {row.sentence.replace(row.serial, "…") for outcome in outcomes for row in outcome.bad}
    assert said == {"Serial … is not in your stock. Compare it with the label."}
    with pytest.raises(actions.SaleRefused) as caught:
        actions.record_sale(
            order(), serials, "bob@example.org", actor="x", source="api", now_us=1, seller=mine
        )
    assert [row.reason for row in caught.value.rows] == ["not_in_stock"] * 4


def test_order_repeated_after_its_devices_went_on_changes_nothing() -> None:
    made, first = devices(2), wholesaler()
    number = send(made, first)
    send(made[:1], "ada@example.org", first)
    entries = ledger.count()
    again = actions.record_sale(
        number, [one.serial for one in made], first, actor="operator", source="api", now_us=now_us()
    )
    assert (again.sold, len(again.unchanged), ledger.count()) == ((), 2, entries)
    assert received(first, made[1]).unchanged == ()
    assert received(first, made[1]).unchanged == (made[1].serial,)


def test_order_numbers_of_sellers_do_not_meet() -> None:
    made, first = devices(2), wholesaler()
    send(made[:1], first, number="4711")
    send(made[:1], "ada@example.org", first, number="4711")
    send(made[1:], "bob@example.org", number="4712")
    assert [sale.order for sale in sales_by(first)] == ["4711"]
    with pytest.raises(MisuseError, match="another buyer"):
        send(made[1:], "bob@example.org", number="4711")


def test_maker_does_not_sell_what_a_wholesaler_holds() -> None:
    [device], first = devices(), wholesaler()
    send([device], first)
    with pytest.raises(actions.SaleRefused) as caught:
        send([device], "ada@example.org")
    assert (caught.value.rows[0].reason, str(first) in caught.value.rows[0].sentence) == (
        "already_sold",
        True,
    )


def test_returned_device_is_stocked_and_sold_again() -> None:
    made, first = devices(2), wholesaler()
    send(made, first)
    assert returned(first, made[0]).done == (made[0].serial,)
    assert (made[0].row.life, holds(first)) == ("returned", {made[1].serial})
    stocked = actions.take_into_stock([one.serial for one in made], actor="operator", now_us=now_us())
    assert (stocked.done, reasons(stocked)) == ((made[0].serial,), ["wrong_state"])
    again = actions.take_into_stock([made[0].serial, "SN-nobody"], actor="operator", now_us=now_us())
    assert (again.unchanged, reasons(again)) == ((made[0].serial,), ["unknown_serial"])
    send(made[:1], "ada@example.org")
    assert kinds(made[0])[1:] == ["dispatched", "received", "returned", "stocked", "sold"]
    assert PastSaleLine.objects.get(device=made[0].row).outcome == "returned"
    assert {sale.line_count for sale in deliveries_to(first)} == {2}  # type: ignore[attr-defined]


def test_device_with_an_owner_is_in_nobodys_stock() -> None:
    made, first = devices(2), wholesaler()
    send(made, first)
    Device.objects.filter(pk=made[0].row.pk).update(owner=customer()[1], life="owned")
    Device.objects.filter(pk=made[1].row.pk).update(life="swapped")
    assert reasons(returned(first, *made)) == ["not_in_stock", "wrong_state"]
    assert holds(first) == {made[1].serial}
    send(made[:1], "ada@example.org", first)
    assert made[0].row.life == "owned"


def test_dispatch_is_withdrawn_by_a_new_entry() -> None:
    made, first = devices(3), wholesaler()
    number = send(made, first)
    wrong = made[0].row.custody.get(kind="dispatched").number
    received(first, made[1])
    outcome = withdrawn(None, number, *made[:2])
    assert (outcome.done, reasons(outcome)) == ((made[0].serial,), ["received"])
    assert events(made[0])[-1].detail == {"entry": wrong, "reason": "typed wrong"}
    assert (made[0].row.life, kinds(made[0])[-2:]) == ("stocked", ["dispatched", "corrected"])
    assert reasons(withdrawn(None, number, made[0])) == ["not_in_order"]
    assert all_sales().get(order=number).line_count == 2  # type: ignore[attr-defined]
    send(made[:1], "ada@example.org")
    ledger.verify_all()


def test_withdrawn_dispatch_of_a_wholesaler_is_in_its_stock_again() -> None:
    [device], (first, second) = devices(), (wholesaler(), wholesaler())
    send([device], first, box="B-1")
    number = send([device], second, first)
    with pytest.raises(MisuseError, match="no order"):
        withdrawn(second, number, device)
    assert withdrawn(first, number, device).done == (device.serial,)
    assert (holds(first), holds(second), device.row.life) == ({device.serial}, set(), "dispatched")
    line = SaleLine.objects.get(device=device.row)
    assert (line.box, line.received_us is not None) == ("B-1", True)
    sold = send([device], "ada@example.org", first)
    assert withdrawn(first, sold, device).done == (device.serial,)
    assert (holds(first), device.row.life) == ({device.serial}, "dispatched")


def test_sale_is_not_withdrawn_from_an_owner() -> None:
    made = devices(3)
    number = send(made, "ada@example.org")
    Device.objects.filter(pk=made[0].row.pk).update(owner=customer()[1], life="owned")
    Device.objects.filter(pk=made[1].row.pk).update(life="scrapped")
    outcome = withdrawn(None, number, *made)
    assert (reasons(outcome), outcome.done) == (["owned", "wrong_state"], (made[2].serial,))
    unknown = actions.withdraw(None, number, ["SN-nobody"], "x", actor="operator", now_us=1)
    assert reasons(unknown) == ["not_in_order"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "a\x00b"])
def test_reason_that_is_none_is_refused(reason: str) -> None:
    with pytest.raises(MisuseError, match="a reason has"):
        actions.return_to_maker(wholesaler(), ["S"], reason, actor="x", now_us=1)


def test_dispatch_that_can_not_be_is_refused() -> None:
    [device], first = devices(), wholesaler()
    with pytest.raises(MisuseError, match="themselves"):
        send([device], first, first)
    with pytest.raises(MisuseError, match="box's label"):
        send([device], first, box="x" * 41)
    with pytest.raises(MisuseError, match="1 to 10000 serials"):
        send([], first)


def test_wholesaler_sends_a_file_and_mends_what_failed() -> None:
    made, first, second = devices(3), wholesaler(), wholesaler()
    send(made, first)
    number = order()
    lines = [
        "order,serial,buyer_email,wholesaler,box",
        f"{number},{made[0].serial},,{second.email},B-1",
        f"{number},{made[1].serial},,{second.email},B-2",
        f"{order()},SN-nobody,ada@example.org,,",
        f"{order()},{made[2].serial},,nobody@example.org,",
    ]

    def upload(text: str) -> ImportRun:
        return actions.import_file(text.encode(), first, actor=by(first), source="csv", now_us=now_us())

    run = upload("\n".join(lines))
    assert (run.stored, run.unchanged, run.failed) == (2, 0, 2)
    assert holds(second) == {made[0].serial, made[1].serial}
    header, _, last = run.failures.replace("nobody@example.org", second.email).strip().splitlines()
    assert "problem" in header
    assert (upload(f"{header}\n{last}").stored, upload("\n".join(lines)).unchanged) == (1, 2)
    assert holds(second) == {one.serial for one in made}


def test_last_imports_are_kept_and_older_ones_forgotten() -> None:
    first = wholesaler()
    for _ in range(RUNS_KEPT + 2):
        actions.import_file(b"order,serial\n", first, actor=by(first), source="csv", now_us=1)
    assert ImportRun.objects.filter(organisation=first).count() == RUNS_KEPT


def test_file_that_is_too_long_to_wait_for_is_refused() -> None:
    content = b"order,serial\n" + b"1,A\n" * 20_001
    with pytest.raises(MisuseError, match="20000 rows"):
        actions.import_file(content, maker()[1], actor="operator", source="csv", now_us=1)


def test_wholesaler_is_found_by_address() -> None:
    first = wholesaler()
    assert wholesaler_at(f" {first.email.upper()} ") == first
