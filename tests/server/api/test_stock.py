"""Wholesalers over REST: each sees and moves its own stock, and nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from doorstep.server.accounts.models import Organisation
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.imports import UPLOAD_CAP
from tests.server.making import MadeDevice, customer, devices, wholesaler

ClientOf = Callable[..., Client]


def _post(client: Client, path: str, body: object, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def _get(client: Client, path: str, **query: str) -> Any:
    return client.get(f"/api/v1/{path}", query).json()


def _sale(serials: list[str], order: str, **more: Any) -> dict[str, Any]:
    return {"order": order, "serials": serials} | more


def _file(text: str) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("sales.csv", text.encode(), "text/csv")}


@pytest.fixture
def dealt(erp: Client) -> tuple[list[MadeDevice], Organisation]:
    """Three devices on their way to a wholesaler, in one box."""
    made, first = devices(3), wholesaler()
    serials = [one.serial for one in made]
    buyer = {"wholesaler": first.email}
    assert _post(erp, "sales", _sale(serials, "M-1", buyer=buyer, box="B-7")).status_code == 201
    return made, first


Dealt = tuple[list[MadeDevice], Organisation]


def test_wholesaler_receives_passes_on_and_sells(dealt: Dealt, client_of: ClientOf, erp: Client) -> None:
    made, first = dealt
    second = wholesaler()
    client, other = client_of(first), client_of(second)
    serials = [one.serial for one in made]
    assert [one["received_us"] for one in _get(client, "stock", box="B-7")["items"]] == [None] * 3
    came = _post(client, "stock/receive", {"serials": [*serials, "SN-nobody"]}).json()
    assert (came["done"], came["failed"][0]["reason"]) == (serials, "not_in_stock")
    sent = _post(client, "sales", _sale(serials[:1], "W-1", buyer={"wholesaler": second.email}))
    sold = _post(client, "sales", _sale(serials[1:2], "W-2", buyer={"email": "ada@example.org"}))
    assert (sent.status_code, sold.status_code) == (201, 201)
    assert [one["serial"] for one in _get(client, "stock")["items"]] == serials[2:]
    [held] = _get(other, "stock", order="W-1")["items"]
    assert (held["serial"], held["sender"], held["order"]) == (serials[0], first.name, "W-1")
    assert [one["serials"] for one in _get(client, "deliveries")["items"]] == [3]
    assert [one["order"] for one in _get(client, "sales")["items"]] == ["W-2", "W-1"]
    assert {one["wholesaler"] for one in _get(erp, "stock")["items"]} >= {first.name, second.name}
    ledger.verify_all()


def test_maker_does_not_read_who_a_wholesalers_customers_are(
    dealt: Dealt, client_of: ClientOf, erp: Client
) -> None:
    made, first = dealt
    order = _sale([made[0].serial], "W-1", buyer={"email": "ada@example.org"})
    _post(client_of(first), "sales", order)
    [mine] = _get(client_of(first), "sales")["items"]
    [theirs] = [one for one in _get(erp, "sales")["items"] if one["order"] == "W-1"]
    assert (mine["buyer_email"], theirs["buyer_email"]) == ("ada@example.org", "")
    assert theirs["seller"] == first.name


def test_party_to_a_trade_alone_reads_it_in_the_ledger(
    dealt: Dealt, client_of: ClientOf, erp: Client
) -> None:
    made, first = dealt
    second = wholesaler()
    order = _sale([made[0].serial], "W-1", buyer={"wholesaler": second.email})
    _post(client_of(first), "sales", order)
    path = f"devices/{made[0].device_id}/ledger"
    seen = {one["kind"]: one["detail"] for one in _get(client_of(second), path)["items"]}
    assert seen["dispatched"] == {"order": "W-1", "organisation": second.pk}
    assert [one["detail"] for one in _get(client_of(second), path)["items"]][1:3] == [{}, {}]
    assert all(one["actor"] for one in _get(erp, path)["items"])
    assert client_of(first).get(f"/api/v1/{path}").status_code == 404


def test_wholesaler_sends_devices_back(dealt: Dealt, client_of: ClientOf, erp: Client) -> None:
    made, first = dealt
    serials = [one.serial for one in made]
    back = _post(client_of(first), "stock/return", {"serials": serials[:1], "reason": "damaged"})
    assert back.json() == {"done": serials[:1], "unchanged": [], "failed": []}
    stocked = _post(erp, "stock/take-in", {"serials": serials[:2]}).json()
    assert (stocked["done"], stocked["failed"][0]["reason"]) == (serials[:1], "wrong_state")


def test_sender_takes_back_what_nobody_received(dealt: Dealt, erp: Client) -> None:
    made, first = dealt
    wish = {"order": "M-1", "serials": [made[0].serial, made[0].serial], "reason": "wrong box"}
    twice = _post(erp, "sales/withdraw", wish).json()
    assert [one["reason"] for one in twice["failed"]] == ["named_twice"] * 2
    done = _post(erp, "sales/withdraw", wish | {"serials": [made[0].serial]}).json()
    assert (done["done"], made[0].row.life) == ([made[0].serial], "stocked")
    unknown = _post(erp, "sales/withdraw", wish | {"seller": first.email})
    assert (unknown.status_code, "no order" in unknown.json()["detail"]) == (422, True)


def test_maker_tells_what_a_wholesaler_sold(dealt: Dealt, client_of: ClientOf, erp: Client) -> None:
    made, first = dealt
    order = _sale([made[0].serial], "W-9", buyer={"email": "ada@example.org"}, seller=first.email)
    assert _post(erp, "sales", order).status_code == 201
    refused = _post(client_of(first), "sales", order | {"order": "W-10"})
    assert "for itself" in refused.json()["detail"]


def test_file_is_stored_row_by_row_and_failures_are_fetched(dealt: Dealt, client_of: ClientOf) -> None:
    made, first = dealt
    client, rows = client_of(first), "order,serial,buyer_email,wholesaler\n"
    text = f"{rows}W-1,{made[0].serial},ada@example.org,\nW-2,SN-nobody,bob@example.org,\n"
    headers = {"Idempotency-Key": "file-1"}
    done = client.post("/api/v1/imports", _file(text), headers=headers)
    assert done.status_code == 201
    run = done.json()
    assert (run["stored"], run["unchanged"], run["failed"]) == (1, 0, 1)
    assert client.post("/api/v1/imports", _file(text), headers=headers).json() == run
    assert client.post("/api/v1/imports", _file(rows), headers=headers).status_code == 422
    assert _get(client, f"imports/{run['number']}") == run
    failures = client.get(f"/api/v1/imports/{run['number']}/failures")
    assert failures["content-type"] == "text/csv; charset=utf-8"
    assert "SN-nobody" in failures.content.decode()
    mended = failures.content.decode().replace("SN-nobody", made[1].serial)
    assert client.post("/api/v1/imports", _file(mended)).json()["stored"] == 1


@pytest.mark.parametrize("text", ["", "serial\nA\n", "order,serial,price\n", "x" * (UPLOAD_CAP + 1)])
def test_file_that_is_none_is_refused(erp: Client, text: str) -> None:
    answer = erp.post("/api/v1/imports", _file(text))
    assert (answer.status_code, bool(answer.json()["next_step"])) == (422, True)


@pytest.mark.parametrize("path", ["", "/failures"])
def test_foreign_import_looks_like_a_missing_one(dealt: Dealt, client_of: ClientOf, path: str) -> None:
    run = client_of(dealt[1]).post("/api/v1/imports", _file("order,serial\n")).json()
    stranger = client_of(wholesaler())
    foreign = stranger.get(f"/api/v1/imports/{run['number']}{path}")
    missing = stranger.get(f"/api/v1/imports/{run['number'] + 1}{path}")
    assert (foreign.status_code, missing.status_code) == (404, 404)


@pytest.mark.parametrize(
    "path", ["sales", "sales/withdraw", "stock/receive", "stock/return", "stock/take-in", "imports"]
)
def test_customer_moves_nothing(client_of: ClientOf, path: str) -> None:
    client = client_of(customer()[1])
    wish: dict[str, Any] = {"serials": ["A"]}
    more = {"reason": "x"} if path.endswith(("withdraw", "return")) else {}
    order = {"order": "1"} if path.startswith("sales") else {}
    buyer = {"buyer": {"email": "a@example.org"}} if path == "sales" else {}
    if path == "imports":
        answer = client.post("/api/v1/imports", _file("order,serial\n"))
    else:
        answer = _post(client, path, wish | more | order | buyer)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["stock", "sales", "deliveries", "imports/1"])
def test_customer_reads_no_stock(client_of: ClientOf, path: str) -> None:
    assert client_of(customer()[1]).get(f"/api/v1/{path}").status_code == 403
