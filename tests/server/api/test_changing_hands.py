"""Disputes, handovers and data over REST: who sees and does what."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from doorstep.ownership.cases import CaseStep
from doorstep.ownership.life import Life
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.casework import take_case_step
from doorstep.server.custody.actions.offers import accept_transfer, offer_transfer
from doorstep.server.custody.changing import Handover
from tests.server import making
from tests.server.custody.hands import (
    customer,
    disputed,
    owned,
    person,
    readings,
    recipient,
    row_of,
    work_off,
)
from tests.server.entering import entered

pytestmark = pytest.mark.usefixtures("rolled_back")

ClientOf = Callable[..., Client]
JSON = "application/json"


def _post(client: Client, path: str, status: int, **body: object) -> Any:
    answer = client.post(f"/api/v1{path}", body, content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json()


def _get(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_transfer_goes_from_an_erp_key_to_a_person(client_of: ClientOf) -> None:
    made, owner = owned()
    friend, stranger = customer(), customer()
    program = client_of(owner.organisation)
    offer = _post(
        program, f"/devices/{made.device_id}/transfer", 201, email=friend.user.email, data="hand_over"
    )
    assert (offer["state"], offer["email"]) == ("offered", friend.user.email)
    number = offer["number"]
    assert _get(entered(friend.user), f"/handovers/{number}")["email"] == ""
    _get(entered(stranger.user), f"/handovers/{number}", 404)
    _post(entered(stranger.user), f"/handovers/{number}/accept", 404)
    _post(client_of(friend.organisation), f"/handovers/{number}/accept", 404)  # a key has no address
    taken = _post(entered(friend.user), f"/handovers/{number}/accept", 200, alias="Attic")
    assert taken["state"] == "accepted"
    assert row_of(made).owner == friend.organisation
    _get(program, f"/devices/{made.device_id}", 404)
    _post(entered(friend.user), f"/handovers/{number}/accept", 422)


def test_offer_is_declined_or_cancelled(client_of: ClientOf) -> None:
    made, owner = owned()
    friend = customer()
    path = f"/devices/{made.device_id}/transfer"
    program = client_of(owner.organisation)
    first = _post(program, path, 201, email=friend.user.email)["number"]
    _post(entered(friend.user), f"/handovers/{first}/cancel", 404)  # it is not theirs to take back
    assert _post(entered(friend.user), f"/handovers/{first}/decline", 200)["state"] == "declined"
    second = _post(program, path, 201, email=friend.user.email)["number"]
    assert _post(program, f"/handovers/{second}/cancel", 200)["state"] == "cancelled"
    assert [one["state"] for one in _get(program, "/handovers")["items"]] == ["cancelled", "declined"]


def test_maker_takes_returns_swaps_and_scraps(client_of: ClientOf, erp: Client) -> None:
    made, owner = owned()
    other, _ = owned()
    [new] = making.devices()
    program = client_of(owner.organisation)
    offer = _post(program, f"/devices/{made.device_id}/return", 201, words="broken")
    assert _get(erp, "/handovers")["items"][0]["number"] == offer["number"]
    _post(erp, f"/handovers/{offer['number']}/accept", 200)
    assert row_of(made).life == Life.RETURNED
    assert _post(erp, f"/devices/{other.device_id}/swap", 200, replacement=new.serial)["serial"] == new.serial
    _post(erp, f"/devices/{new.device_id}/scrap", 403, reason="it is not ours")
    paper = _post(erp, f"/devices/{made.device_id}/scrap", 201, reason="burnt")
    assert paper["paper"] == "scrapping"
    assert _get(erp, "/documents")["items"] == [paper]
    assert len(_get(erp, "/document-key")["public_key"]) == 64


def test_former_owner_reads_what_they_kept_and_nobody_else_does(client_of: ClientOf) -> None:
    made, owner = owned()
    readings(made.row, 3)
    friend = customer()
    offer_transfer(made.row, friend.user.email, "keep", owner.actor, now_us=now_us())  # type: ignore[arg-type]
    accept_transfer(Handover.objects.get(device=made.row), recipient(friend), now_us=now_us())
    theirs, others = client_of(owner.organisation), client_of(friend.organisation)
    [past] = _get(theirs, "/past-devices")["items"]
    assert (past["serial"], past["ended_by"]) == (made.serial, "transfer")
    assert len(_get(theirs, f"/past-devices/{past['number']}/readings")["points"]) == 3
    assert _get(others, "/past-devices")["items"] == []
    _get(others, f"/past-devices/{past['number']}/readings", 404)
    assert _get(others, f"/devices/{made.device_id}/readings")["points"] == []
    job = _post(theirs, f"/past-devices/{past['number']}/data", 202, kind="export")
    _post(theirs, f"/past-devices/{past['number']}/data", 409, kind="erase")
    work_off()
    done = _get(theirs, f"/data-jobs/{job['number']}")
    assert (done["done"], done["total"]) == (3, 3)
    assert [one["number"] for one in _get(theirs, "/documents")["items"]] == [done["receipt"]]
    _get(others, f"/data-jobs/{job['number']}", 404)
    assert [one["number"] for one in _get(theirs, "/data-jobs")["items"]] == [job["number"]]


def test_owner_exports_their_own_readings(client_of: ClientOf) -> None:
    made, owner = owned()
    readings(made.row, 2)
    job = _post(client_of(owner.organisation), f"/devices/{made.device_id}/data", 202, kind="export")
    assert (job["kind"], job["total"], job["finished_us"]) == ("export", 2, None)
    _post(client_of(customer().organisation), f"/devices/{made.device_id}/data", 404, kind="export")


def test_sides_of_a_case_read_their_own_words(client_of: ClientOf) -> None:
    dispute, owner, claimant = disputed()
    ann, bob = (person(*making.maker()) for _ in range(2))
    path = f"/cases/{dispute.pk}"
    _post(entered(claimant.user), f"{path}/steps", 200, step="answer", words="I bought it")
    _post(entered(owner.user), f"{path}/steps", 200, step="reply", words="it was a gift")
    _post(entered(claimant.user), f"{path}/steps", 409, step="dismiss", words="no")
    _post(entered(ann.user), f"{path}/steps", 200, step="propose", words="the invoice holds")
    _post(entered(ann.user), f"{path}/steps", 409, step="confirm")
    staff = _post(entered(bob.user), f"{path}/steps", 200, step="confirm")
    assert [one["words"] for one in staff["records"]][:2] == ["I bought it", "it was a gift"]
    seen = _get(entered(owner.user), path)
    assert [one["words"] for one in seen["records"]] == ["", "it was a gift", "", ""]
    assert (seen["party"], seen["evidence"], seen["possible"]) == ("owner", [], ["appeal", "concede"])
    assert str(claimant.organisation) not in str(seen)
    _get(entered(customer().user), path, 404)
    assert _get(entered(claimant.user), "/cases")["items"][0]["party"] == "claimant"
    assert _get(client_of(owner.organisation), path)["possible"] == []  # a key looks on


def test_key_decides_no_case(client_of: ClientOf) -> None:
    dispute, owner, claimant = disputed()
    take_case_step(dispute, CaseStep.ANSWER, claimant, "mine", now_us=now_us())
    _post(client_of(owner.organisation), f"/cases/{dispute.pk}/steps", 403, step="concede")


def test_owner_lists_attempts(client_of: ClientOf) -> None:
    dispute, owner, claimant = disputed()
    found = _get(client_of(owner.organisation), f"/devices/{dispute.device.device_id}/attempts")["items"]
    assert [(one["what"], one["outcome"]) for one in found] == [("claim", "disputed")]
    _get(client_of(claimant.organisation), f"/devices/{dispute.device.device_id}/attempts", 404)
