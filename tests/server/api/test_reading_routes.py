"""Lists and single things that the portal's pages show, over REST: whole, filtered, and one by one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from doorstep.server.clock import now_us
from doorstep.server.custody.actions import make_registration_token, record_sale, register_device
from tests.server.making import authority, customer, devices, maker, statement_of

ClientOf = Callable[..., Client]


def _items(client: Client, path: str, **query: Any) -> list[Any]:
    found: list[Any] = client.get(f"/api/v1{path}", query).json()["items"]
    return found


def test_maker_adds_a_product_and_finds_it(erp: Client) -> None:
    wish = {"key": "rest-one", "name": "Rest One", "claim_policy": "device_key & label_code"}
    made = erp.post("/api/v1/products", wish, content_type="application/json")
    assert made.status_code == 201
    assert erp.get("/api/v1/products/rest-one").json() == made.json()
    assert made.json() in _items(erp, "/products", limit=200)
    again = erp.post("/api/v1/products", wish, content_type="application/json")
    assert (again.status_code, again.json()["detail"]) == (422, "there is a product rest-one already")
    assert erp.get("/api/v1/products/none").status_code == 404


def test_maker_finds_batches_and_their_devices(erp: Client) -> None:
    one, two = devices(2)
    batch = one.row.batch
    shown = erp.get(f"/api/v1/batches/{batch.number}").json()
    assert (shown["made"], shown["product"]) == (2, one.row.product.key)
    assert _items(erp, "/batches", product=one.row.product.key) == [shown]
    found = {item["device_id"] for item in _items(erp, "/devices", batch=batch.number)}
    assert found == {one.device_id, two.device_id}
    assert erp.get("/api/v1/batches/none").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "count"),
    [({"life": "made"}, 1), ({"life": "sold"}, 0), ({"standing": "ok"}, 1), ({"disputed": True}, 0)],
)
def test_devices_are_filtered(erp: Client, wanted: dict[str, Any], count: int) -> None:
    [device] = devices()
    assert len(_items(erp, "/devices", serial=device.serial, **wanted)) == count


def test_unknown_filter_value_is_explained(erp: Client) -> None:
    assert erp.get("/api/v1/devices", {"life": "asleep"}).status_code == 422


def test_sales_are_found_by_order_buyer_and_serial(erp: Client) -> None:
    one, two = devices(2)
    record_sale(
        "F-1", [one.serial, two.serial], "f@example.org", actor="operator", source="api", now_us=now_us()
    )
    [found] = _items(erp, "/sales", serial=one.serial)
    assert (found["order"], found["serials"]) == ("F-1", 2)
    assert _items(erp, "/sales", order="F-1", buyer_email="F@example.org") == [found]
    assert _items(erp, "/sales", order="F-1", buyer_email="g@example.org") == []


def test_customer_asks_what_became_of_a_token(client_of: ClientOf) -> None:
    [device], (user, organisation) = devices(policy="device_key & setup_session"), customer()
    client = client_of(organisation)
    token, row = make_registration_token(organisation, user, now_us=now_us())
    path = f"/api/v1/registration-tokens/{row.pk}"
    assert client.get(path).json()["state"] == "waiting"
    register_device(statement_of(device, token)[0], authority=authority(), now_us=now_us())
    said = client.get(path).json()
    assert (said["state"], said["device_id"]) == ("bound", device.device_id)
    assert client_of(customer()[1]).get(path).status_code == 404


def test_maker_reads_the_whole_ledger_and_nobody_else(erp: Client, client_of: ClientOf) -> None:
    [device] = devices()
    made: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = erp.get("/api/v1/ledger", {"kind": "made", "limit": "200", "cursor": cursor}).json()
        made += [entry["device_id"] for entry in page["items"]]
        cursor = page["next"]
    assert made[-1] == device.device_id
    assert client_of(customer()[1]).get("/api/v1/ledger").status_code == 403
    assert client_of(maker()[1], "maker:sales:read").get("/api/v1/ledger").status_code == 403
