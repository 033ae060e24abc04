"""A customer claims devices by REST, and the staff give their word."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from doorstep.server.clock import now_us
from doorstep.server.custody.actions.claiming import Claimant, file_claim
from doorstep.server.custody.actions.grants import begin_grant
from doorstep.server.custody.actions.vouchers import make_voucher
from tests.server.making import MadeDevice, authority, customer, devices

ClientOf = Callable[..., Client]


@pytest.fixture
def buyer(client_of: ClientOf) -> tuple[Any, Client]:
    user, organisation = customer()
    return user, client_of(organisation)


def _post(client: Client, path: str, body: object = None) -> Any:
    return client.post(f"/api/v1{path}", body or {}, content_type="application/json")


def _device(policy: str = "") -> MadeDevice:
    [made] = devices(1, policy=policy)
    return made


def test_customer_claims_by_serial_and_adds_the_code(buyer: tuple[Any, Client]) -> None:
    _, client = buyer
    made = _device()
    claim = _post(client, "/claims", {"serial": made.serial, "alias": "Attic"})
    assert (claim.status_code, claim.json()["state"], claim.json()["device_id"]) == (201, "waiting", None)
    assert _post(client, "/claims", {"serial": made.serial}).json()["number"] == claim.json()["number"]
    given = _post(client, f"/claims/{claim.json()['number']}/code", {"code": made.code}).json()
    assert (given["state"], given["device_id"], given["alias"]) == ("held", made.device_id, "Attic")
    assert client.get("/api/v1/claims").json()["items"] == [given]


@pytest.mark.parametrize("body", [{}, {"serial": "A-1", "code": "x"}])
def test_claim_names_one_of_serial_and_code(buyer: tuple[Any, Client], body: dict[str, str]) -> None:
    assert _post(buyer[1], "/claims", body).status_code == 422


def test_unknown_serial_and_known_one_look_alike(buyer: tuple[Any, Client]) -> None:
    made = _device()
    told = [_post(buyer[1], "/claims", {"serial": one}).json() for one in (made.serial, "A-0000")]
    assert len({(one["state"], one["sentence"], one["device_id"]) for one in told}) == 1


def test_buyer_is_asked_once_an_hour_and_orders_are_checked(buyer: tuple[Any, Client]) -> None:
    path = f"/claims/{_post(buyer[1], '/claims', {'serial': _device().serial}).json()['number']}"
    assert _post(buyer[1], f"{path}/mail").json()["mail_asked_us"]
    assert _post(buyer[1], f"{path}/mail").status_code == 409
    assert _post(buyer[1], f"{path}/order", {"order": "none"}).status_code == 409
    assert _post(buyer[1], f"{path}/report-label").status_code == 409


def test_voucher_counts_for_its_devices_and_a_forged_one_for_none(buyer: tuple[Any, Client]) -> None:
    user, client = buyer
    made = _device()
    signed = make_voucher([made.serial], user.email, authority(), now_us())
    for data, status in ((signed, 200), (signed[:-1] + b"\0", 409), (b"none", 400)):
        answer = client.post("/api/v1/vouchers", {"voucher": SimpleUploadedFile("v", data)})
        assert answer.status_code == status, answer.content
        if status == 200:
            assert [one["serial"] for one in answer.json()["devices"]] == [made.serial]


def test_customer_answers_the_device_that_shows_a_code(buyer: tuple[Any, Client]) -> None:
    made = _device()
    _, code = begin_grant(made.row, now_us())
    typed = {"user_code": code.shown}
    assert _post(buyer[1], "/device-grants/find", typed).json()["serial"] == made.serial
    assert _post(buyer[1], "/device-grants/answer", typed | {"yes": True}).status_code == 200
    assert _post(buyer[1], "/device-grants/find", typed).status_code == 409


def test_staff_vouch_for_a_held_claim(buyer: tuple[Any, Client], erp: Client) -> None:
    user, _ = buyer
    made = _device("setup_session & staff")
    organisation = user.memberships.get().organisation
    file_claim(made.row, Claimant(organisation, user, "operator"), set(), now_us())
    [held] = [one for one in erp.get("/api/v1/held-claims").json()["items"] if one["serial"] == made.serial]
    path = f"/held-claims/{held['number']}"
    seen = erp.get(f"/api/v1{path}").json()
    assert (seen["claimant"], seen["contested"]) == (organisation.name, False)
    decision = _post(erp, f"{path}/vouch", {"reason": "she showed me the invoice"}).json()
    assert decision["outcome"] == "held"
    assert [one["kind"] for one in erp.get(f"/api/v1{path}").json()["pieces"]][-1:] == ["staff"]
    assert erp.get("/api/v1/held-claims/999999").status_code == 404
