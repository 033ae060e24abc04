"""The ERP tells sales: all rows or none, repeats are harmless, and each problem says what to do."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from doorstep.ownership.ledger import Entry
from doorstep.server.custody import ledger
from doorstep.server.custody.models import CustodyEntry, Sale, SaleLine
from tests.server.making import customer, devices, maker, wholesaler


def _post(client: Client, body: object, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/v1/sales", body, content_type="application/json", headers=headers)


def _sale(serials: list[str], order: str = "A-1", **buyer: str) -> dict[str, Any]:
    return {"order": order, "serials": serials, "buyer": buyer or {"email": "buyer@example.org"}}


def test_erp_records_sale(erp: Client) -> None:
    first, second = devices(2)
    answer = _post(erp, _sale([first.serial, second.serial]))
    assert answer.status_code == 201
    assert answer.json() == {"order": "A-1", "sold": [first.serial, second.serial], "unchanged": []}
    assert (first.row.life, second.row.life) == ("sold", "sold")
    entry = CustodyEntry.objects.filter(device=first.row).order_by("-number")[0]
    event = Entry.from_body(bytes(entry.body)).event
    assert (event.kind, event.detail, event.actor[:6]) == ("sold", {"order": "A-1"}, "key:dk")
    assert b"buyer@example.org" not in bytes(entry.body)
    ledger.verify_all()


def test_wholesaler_buys_and_devices_are_dispatched(erp: Client) -> None:
    [device] = devices()
    buyer = wholesaler()
    assert _post(erp, _sale([device.serial], wholesaler=buyer.email.upper())).status_code == 201
    assert device.row.life == "dispatched"


def test_one_bad_row_stores_nothing_and_every_bad_row_is_named(erp: Client) -> None:
    good, sold, blocked, scrapped = devices(4)
    _post(erp, _sale([sold.serial], "A-0"))
    type(blocked.row).objects.filter(pk=blocked.row.pk).update(blocked=True)
    type(scrapped.row).objects.filter(pk=scrapped.row.pk).update(life="scrapped")
    serials = [
        good.serial,
        "SN-nobody",
        sold.serial,
        "bad serial!",
        blocked.serial,
        scrapped.serial,
        "T",
        "T",
    ]
    entries = ledger.count()
    answer = _post(erp, _sale(serials))
    assert answer.status_code == 422
    assert answer["content-type"] == "application/problem+json"
    rows = {(row["row"], row["reason"]) for row in answer.json()["rows"]}
    assert rows == {
        (2, "unknown_serial"),
        (3, "already_sold"),
        (4, "malformed_serial"),
        (5, "blocked"),
        (6, "wrong_state"),
        (7, "named_twice"),
        (8, "named_twice"),
    }
    assert all(row["detail"] for row in answer.json()["rows"])
    assert not Sale.objects.filter(order="A-1").exists()
    assert (good.row.life, ledger.count()) == ("made", entries)


def test_repeat_with_idempotency_key_answers_the_same_and_does_nothing(erp: Client) -> None:
    [device] = devices()
    first = _post(erp, _sale([device.serial]), "key-1")
    entries = ledger.count()
    again = _post(erp, _sale([device.serial]), "key-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert ledger.count() == entries


def test_idempotency_key_with_another_request_is_refused(erp: Client) -> None:
    first, second = devices(2)
    _post(erp, _sale([first.serial]), "key-1")
    answer = _post(erp, _sale([second.serial], "A-2"), "key-1")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:doorstep:problem/idempotency-key-reused")
    assert second.row.life == "made"


def test_refused_sale_can_be_mended_under_the_same_idempotency_key(erp: Client) -> None:
    [device] = devices()
    assert _post(erp, _sale([device.serial, "SN-nobody"]), "key-1").status_code == 422
    assert _post(erp, _sale([device.serial]), "key-1").status_code == 201


def test_same_order_again_sells_nothing_twice(erp: Client) -> None:
    first, second = devices(2)
    _post(erp, _sale([first.serial]))
    answer = _post(erp, _sale([first.serial, second.serial]))
    assert answer.json() == {"order": "A-1", "sold": [second.serial], "unchanged": [first.serial]}
    assert SaleLine.objects.filter(sale__order="A-1").count() == 2


@pytest.mark.parametrize("body", ["{", "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass")])
def test_request_that_is_no_json_is_told_the_next_step(erp: Client, body: str | bytes) -> None:
    answer = erp.post("/api/v1/sales", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["next_step"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        _sale([]),
        _sale(["S"], order=""),
        _sale(["S"], order="x" * 81),
        _sale(["S"], order="a\nb"),
        _sale(["S"], email="nobody"),
        _sale(["S"], wholesaler="nobody@example.org"),
        _sale(["S"], email="a@example.org", wholesaler="b@example.org"),
        {**_sale(["S"]), "buyer": {}},
        {**_sale(["S"]), "more": 1},
        {**_sale(["S"]), "serials": "S"},
        _sale(["S"] * 10_001),
    ],
    ids=[
        "empty",
        "list",
        "no-serials",
        "no-order",
        "long-order",
        "order-with-newline",
        "no-address",
        "unknown-wholesaler",
        "two-buyers",
        "no-buyer",
        "unknown-field",
        "serials-as-text",
        "too-many",
    ],
)
def test_malformed_sale_is_a_problem_document(erp: Client, body: object) -> None:
    answer = _post(erp, body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert answer.json()["next_step"]


def test_order_of_another_buyer_is_refused(erp: Client) -> None:
    first, second = devices(2)
    _post(erp, _sale([first.serial]))
    answer = _post(erp, _sale([second.serial], email="other@example.org"))
    assert answer.status_code == 422
    assert "another buyer" in answer.json()["detail"]


def test_broken_json_is_a_problem_document(erp: Client) -> None:
    answer = erp.post("/api/v1/sales", "{", content_type="application/json")
    assert answer.status_code == 400
    assert answer["content-type"] == "application/problem+json"


def test_sale_needs_its_scope(client_of: Callable[..., Client]) -> None:
    answer = _post(client_of(maker()[1], "maker:sales:read"), _sale(["S"]))
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:doorstep:problem/not-permitted")
    assert "maker:sales:write" in answer.json()["next_step"]


def test_customer_can_not_sell(client_of: Callable[..., Client]) -> None:
    assert _post(client_of(customer()[1]), _sale(["S"])).status_code == 403


def test_sales_are_listed_newest_first_in_pages(erp: Client) -> None:
    for number, device in enumerate(devices(3)):
        _post(erp, _sale([device.serial], f"P-{number}"))
    seen: list[str] = []
    cursor = ""
    while True:
        page = erp.get(f"/api/v1/sales?limit=1&cursor={cursor}").json()
        seen += [item["order"] for item in page["items"]]
        cursor = page["next"]
        if not cursor or len(seen) >= 3:
            break
    assert seen == ["P-2", "P-1", "P-0"]


@pytest.mark.parametrize("cursor", ["!!", "YWJj", "A" * 121, "\x00", "AAAA", "-_-_"])
def test_foreign_cursor_is_refused(erp: Client, cursor: str) -> None:
    assert erp.get("/api/v1/sales", {"cursor": cursor}).status_code in {400, 422}
