"""Products over REST: a weak method is put on with its risk accepted, and everybody sees the mark."""

from typing import Any

import pytest
from django.test import Client

from doorstep.messaging.legacy.formats import RISKS, Format
from doorstep.onboarding.methods import DEFAULTS, METHODS
from doorstep.server.fleet.models import Batch, OnboardingChange
from tests.server import making
from tests.server.api.test_devices import ClientOf

pytestmark = pytest.mark.usefixtures("rolled_back")


def _put(client: Client, key: str, **wish: Any) -> Any:
    return client.put(f"/api/v1/products/{key}/onboarding", wish, content_type="application/json")


def test_products_are_listed_with_their_methods(erp: Client) -> None:
    product = making.product()
    rows = {row["key"]: row for row in erp.get("/api/v1/products").json()["items"]}
    assert rows[product.key]["onboarding_methods"] == list(DEFAULTS)
    assert rows[product.key]["weak_setup"] == []


def test_risk_that_nobody_accepts_is_refused_and_told(erp: Client) -> None:
    product = making.product()
    answer = _put(erp, product.key, methods=[*DEFAULTS, "blufi"])
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("risk-not-accepted")
    assert METHODS["blufi"].risk in answer.json()["detail"]
    product.refresh_from_db()
    assert product.onboarding_methods == list(DEFAULTS)


def test_accepted_risk_marks_the_product_under_the_callers_name(erp: Client) -> None:
    product = making.product()
    answer = _put(erp, product.key, methods=[*DEFAULTS, "blufi"], accept_risk=["blufi"])
    assert answer.status_code == 200
    assert answer.json()["weak_setup"] == [{"method": "blufi", "risk": METHODS["blufi"].risk}]
    assert OnboardingChange.objects.get(product=product).actor.startswith("key:")


def test_device_shows_what_it_was_made_with(erp: Client) -> None:
    [device] = making.devices()
    answer = erp.get(f"/api/v1/devices/{device.device_id}")
    assert answer.json()["weak_setup"] == []
    Batch.objects.filter(devices=device.row).update(onboarding_methods=["micro-ap"])
    assert erp.get(f"/api/v1/devices/{device.device_id}").json()["weak_setup"] == ["micro-ap"]


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "no method": ({"methods": []}, 422),
    "unknown method": ({"methods": ["wep"]}, 422),
    "no list": ({"methods": "dpp"}, 422),
    "unknown field": ({"methods": ["dpp"], "force": True}, 422),
    "too many": ({"methods": ["dpp"] * 100}, 422),
}


@pytest.mark.parametrize(("wish", "status"), BAD.values(), ids=BAD)
def test_bad_wish_is_a_problem_document(erp: Client, wish: dict[str, Any], status: int) -> None:
    answer = _put(erp, making.product().key, **wish)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_unknown_product_is_not_found(erp: Client) -> None:
    assert _put(erp, "no-such", methods=["dpp"]).status_code == 404


def test_key_without_the_permission_changes_nothing(client_of: ClientOf) -> None:
    client = client_of(making.maker()[1], "maker:products:read")
    product = making.product()
    assert client.get("/api/v1/products").status_code == 200
    assert _put(client, product.key, methods=["dpp"]).status_code == 403
    assert client_of(making.customer()[1]).get("/api/v1/products").status_code == 403


def test_insecure_format_is_refused_until_its_risk_is_accepted_and_then_marks_the_product(
    erp: Client,
) -> None:
    path = f"/api/v1/products/{making.product().key}/legacy"
    refused = erp.put(path, {"formats": ["article"]}, content_type="application/json")
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("risk-not-accepted")
    wish = {"formats": ["article"], "accept_risk": ["article"]}
    taken = erp.put(path, wish, content_type="application/json")
    assert taken.json()["insecure_formats"] == [{"format": "article", "risk": RISKS[Format.ARTICLE]}]
    assert erp.put(path, {"formats": []}, content_type="application/json").json()["insecure_formats"] == []
    assert erp.put(path, {"formats": ["plain"]}, content_type="application/json").status_code == 422
