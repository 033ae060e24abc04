"""The wholesaler's pages: stock, receipts, dispatches, files, orders; and what staff sees of them."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from doorstep.server.accounts.models import Organisation, Role
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.models import Sale
from tests.server.entering import entered
from tests.server.making import MadeDevice, customer, devices, maker, wholesaler
from tests.server.portal.world import person

pytestmark = pytest.mark.usefixtures("rolled_back")

Dealt = tuple[Client, Organisation, list[MadeDevice]]


@pytest.fixture
def shop() -> Dealt:
    """Somebody of a wholesaler to which three devices are on their way in one box."""
    at, made = wholesaler(), devices(3)
    serials = [one.serial for one in made]
    actions.record_sale("M-1", serials, at, actor="operator", source="api", now_us=now_us(), box="BOX-7")
    return entered(person(at, Role.OPERATOR)), at, made


def page(client: Client, path: str) -> str:
    answer = client.get(path, follow=True)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def send(client: Client, path: str, **typed: str) -> str:
    answer = client.post(path, typed, follow=True)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_new_wholesaler_is_told_how_stock_comes() -> None:
    text = page(entered(person(wholesaler(), Role.OWNER)), "/")
    assert "Your stock is empty" in text
    assert "Somebody dispatches" in text


def test_wholesaler_receives_a_box_by_its_label(shop: Dealt) -> None:
    client, _, made = shop
    assert "3 on their way to you" in page(client, "/stock/")
    assert "3 devices received" in send(client, "/stock/receive/", devices="BOX-7")
    text = page(client, "/stock/")
    assert text.count(">here<") == 3
    assert "on its way" not in text
    assert made[0].serial in page(client, f"/stock/?q={made[0].serial}")
    assert "Nothing in stock is called" in page(client, "/stock/?q=teapot")


def test_wholesaler_dispatches_and_what_failed_stays_in_the_form(shop: Dealt) -> None:
    client, _, made = shop
    other = wholesaler()
    typed = {"to": other.email, "order": "W-1", "devices": f"{made[0].serial}\nSN-nobody"}
    text = send(client, "/stock/dispatch/", **typed)
    assert "1 device dispatched" in text
    assert "Serial SN-nobody is not in your stock" in text
    assert re.search(r"<textarea[^>]*> SN-nobody</textarea>", text)
    assert made[0].serial not in page(client, "/stock/")
    assert made[0].serial in page(entered(person(other, Role.VIEWER)), "/stock/")


def test_wholesaler_sells_and_takes_back(shop: Dealt) -> None:
    client, at, made = shop
    typed = {"to": "ada@example.org", "order": "W-2", "devices": made[0].device_id}
    assert "1 device sold" in send(client, "/stock/sell/", **typed)
    assert "ada@example.org" in page(client, "/orders/")
    number = Sale.objects.get(seller=at).pk
    assert made[0].serial in page(client, f"/orders/{number}/")
    text = send(client, f"/orders/{number}/take-back/", devices=made[0].serial, reason="wrong address")
    assert "1 device taken back" in text
    assert ">taken back<" in text
    assert made[0].serial in page(client, "/stock/")


def test_wholesaler_sees_what_was_delivered_and_not_where_it_went(shop: Dealt) -> None:
    client, _, made = shop
    delivery = Sale.objects.get(order="M-1").pk
    send(client, "/stock/sell/", to="ada@example.org", order="W-2", devices=made[0].serial)
    send(client, "/stock/return/", devices=made[1].serial, reason="damaged")
    assert "M-1" in page(client, "/orders/?show=deliveries")
    text = page(client, f"/orders/{delivery}/")
    assert [text.count(f">{word}<") for word in ("passed on", "sent back", "on its way")] == [1, 1, 1]
    assert client.post(f"/orders/{delivery}/take-back/", {}).status_code == 404


def test_staff_sees_where_each_device_stands_and_not_the_customer(shop: Dealt) -> None:
    client, at, made = shop
    send(client, "/stock/sell/", to="ada@example.org", order="W-2", devices=made[0].serial)
    staff = entered(maker()[0])
    text = page(staff, "/staff/sales/")
    assert "a customer of theirs" in text
    for number in Sale.objects.filter(order__in=["M-1", "W-2"]).values_list("pk", flat=True):
        assert "ada@example.org" not in page(staff, f"/orders/{number}/") + page(
            staff, f"/staff/sales/{number}/"
        )
    assert ">received<" in page(staff, f"/orders/{Sale.objects.get(order='M-1').pk}/")
    assert str(at) in page(staff, f"/staff/devices/{made[1].device_id}/")


def test_staff_puts_returned_devices_into_stock_and_dispatches_them(shop: Dealt) -> None:
    client, at, made = shop
    send(client, "/stock/return/", devices=made[0].serial, reason="damaged")
    staff = entered(maker()[0])
    assert "1 device put into stock" in send(staff, "/stock/take-in/", devices=made[0].serial)
    typed = {"to": at.email, "order": "M-2", "devices": made[0].serial, "box": "BOX-8"}
    assert "1 device dispatched" in send(staff, "/stock/dispatch/", **typed)
    again = send(staff, "/stock/dispatch/", **typed | {"to": "nobody@example.org"})
    assert "No wholesaler has this address" in again


def test_wholesaler_sends_a_file_and_fetches_what_failed(shop: Dealt) -> None:
    client, _, made = shop
    content = f"order,serial,buyer_email\nW-1,{made[0].serial},a@example.org\nW-1,SN-nobody,a@example.org\n"
    file = SimpleUploadedFile("orders.csv", content.encode(), "text/csv")
    answer = client.post("/stock/file/", {"file": file}, follow=True)
    assert "1 row could not be stored" in answer.content.decode()
    number = answer.request["PATH_INFO"].rstrip("/").rpartition("/")[2]
    assert "SN-nobody" in client.get(f"/stock/file/{number}/failures.csv").content.decode()
    stranger = entered(person(wholesaler(), Role.OWNER))
    for path in ("", "failures.csv"):
        assert stranger.get(f"/stock/file/{number}/{path}").status_code == 404
    bad = client.post("/stock/file/", {"file": SimpleUploadedFile("x.csv", b"price\n1\n")})
    assert "Please check this" in bad.content.decode()
    huge = client.post("/stock/file/", {"file": SimpleUploadedFile("x.csv", b"x" * (1 << 21 | 1))})
    assert "Split it" in huge.content.decode()


@pytest.mark.parametrize("what", ["take-in", "teapot"])
def test_wholesaler_does_what_wholesalers_do(shop: Dealt, what: str) -> None:
    assert shop[0].get(f"/stock/{what}/").status_code == 404


def test_viewer_looks_and_moves_nothing(shop: Dealt) -> None:
    client, at = entered(person(shop[1], Role.VIEWER)), shop[1]
    assert "Receive" not in page(client, "/stock/")
    for path in ("/stock/receive/", "/stock/dispatch/", "/stock/file/"):
        assert client.get(path).status_code == 403
    assert at.name in page(client, "/stock/")


def test_others_have_no_stock(shop: Dealt) -> None:
    number = Sale.objects.get(order="M-1").pk
    paths = ["/stock/", "/stock/receive/", "/stock/file/", "/orders/", f"/orders/{number}/"]
    buyer, stranger = entered(customer()[0]), entered(person(wholesaler(), Role.OWNER))
    assert {buyer.get(path).status_code for path in paths} == {404}
    assert stranger.get(f"/orders/{number}/").status_code == 404
    assert shop[2][0].serial not in page(stranger, "/stock/")
