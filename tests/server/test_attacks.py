"""Attacks of insiders and former owners on the portal, the REST API and the tables behind them.

XFER-01, XFER-02, STAFF-01, CODE-01: each attacker has an account, a key or a place in the chain of sale.
"""

import json
import os
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from doorstep.identity import claim_code
from doorstep.ownership.audit import AuditBroken
from doorstep.ownership.cases import CaseRefused, CaseStep
from doorstep.ownership.chain import LedgerBroken
from doorstep.ownership.handovers import DataChoice
from doorstep.server.accounts.models import Organisation
from doorstep.server.accounts.permissions import Permission
from doorstep.server.audit import trail
from doorstep.server.audit.models import AuditRow
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.casework import Person, take_case_step
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.codes import CodeRefused, type_code
from doorstep.server.custody.actions.offers import accept_transfer, offer_transfer
from doorstep.server.custody.models import ClaimAttempt, Dispute
from doorstep.server.fleet.models import Device
from doorstep.server.webhooks.actions import add_endpoint
from doorstep.server.webhooks.models import WebhookDelivery
from tests.server import making
from tests.server.custody.hands import (
    claim,
    customer,
    disputed,
    owned,
    person,
    readings,
    recipient,
    row_of,
    work_off,
)
from tests.server.entering import entered, program

pytestmark = pytest.mark.usefixtures("rolled_back")

_READINGS = [Permission.CUSTOMER_READINGS_READ, Permission.CUSTOMER_DEVICES_READ]


def _readings(client: Client, device: Device) -> tuple[int, list[Any]]:
    answer = client.get(f"/api/v1/devices/{device.device_id}/readings?after_us=0")
    return answer.status_code, answer.json().get("points", [])


def _sell(made: making.MadeDevice, buyer: str, seller: Organisation) -> str:
    order = f"O-{os.urandom(4).hex()}"
    actions.record_sale(
        order, [made.serial], buyer, actor=f"user:1@{seller.pk}", source="api", now_us=now_us(), seller=seller
    )
    return order


def test_xfer_01_each_owner_reads_their_own_time_and_every_handle_of_the_last_ends() -> None:
    """XFER-01: session, API key, webhook and page of the former owner, and the new owner's look back."""
    made, before = owned()
    row, after = row_of(made), customer()
    readings(row, 3, temperature=11.0)
    add_endpoint(before.organisation, "https://hooks.example.org/x", (), "", now_us=now_us())
    handles = [entered(before.user), program(before.organisation, _READINGS)]
    assert all(_readings(one, row)[0] == 200 for one in handles)
    offer = offer_transfer(row, after.user.email, DataChoice.KEEP, before.actor, now_us=now_us())
    accept_transfer(offer, recipient(after), now_us=now_us())
    told = WebhookDelivery.objects.count()
    readings(row_of(made), 2, temperature=33.0)
    assert [_readings(one, row)[0] for one in handles] == [404, 404]
    assert handles[0].get(f"/devices/{row.device_id}/").status_code == 404
    status, seen = _readings(entered(after.user), row)
    assert (status, {one["value"] for one in seen}) == (200, {33.0})
    assert WebhookDelivery.objects.count() == told


def test_xfer_02_sale_that_is_cancelled_after_the_claim_takes_nothing_from_the_owner() -> None:
    """XFER-02: the seller takes the sale back, then returns the device to the maker, after it was claimed."""
    [made] = making.devices()
    seller, owner = making.wholesaler(), customer()
    _dispatch(made, seller)
    order = _sell(made, owner.user.email, seller)
    claim(made.row, owner)
    back = actions.withdraw(seller, order, [made.serial], "cancelled", actor="user:1", now_us=now_us())
    assert [one.reason for one in back.bad] == ["owned"]
    again = actions.return_to_maker(seller, [made.serial], "not sold", actor="user:1", now_us=now_us())
    assert again.bad
    assert (row_of(made).owner, row_of(made).life) == (owner.organisation, "owned")
    ledger.verify_all()


def test_xfer_02_serial_that_is_sold_twice_goes_once_and_the_second_buyer_gets_a_case() -> None:
    """XFER-02: a wholesaler tells two sales of one serial; both buyers claim with good evidence."""
    [made] = making.devices()
    seller, first, second = making.wholesaler(), customer(), customer()
    _dispatch(made, seller)
    _sell(made, first.user.email, seller)
    with pytest.raises(actions.SaleRefused):
        _sell(made, second.user.email, seller)
    claim(made.row, first)
    claim(made.row, second)
    assert row_of(made).owner == first.organisation
    case = Dispute.objects.get(device=made.row)
    assert (case.owner, case.claim.organisation) == (first.organisation, second.organisation)
    assert row_of(made).life == "owned"


def test_staff_01_one_insider_decides_no_dispute_alone_and_reads_no_readings() -> None:
    """STAFF-01: proposes and confirms by page and by action, and asks for the owner's readings."""
    dispute, owner, _ = disputed()
    insider = person(*making.maker())
    readings(row_of(dispute.device), 1)
    take_case_step(dispute, CaseStep.PROPOSE, insider, "I say so", now_us=now_us())
    page = entered(insider.user).post(f"/cases/{dispute.pk}/", {"step": "confirm", "words": "me again"})
    assert "four eyes" in page.content.decode()
    with pytest.raises(CaseRefused):
        take_case_step(dispute, CaseStep.CONFIRM, insider, "me again", now_us=now_us())
    assert row_of(dispute.device).owner == owner.organisation
    assert _readings(entered(insider.user), dispute.device)[0] in {403, 404}
    looks = entered(owner.user).get("/api/v1/audit?staff=true").json()["items"]
    assert {one["action"] for one in looks} >= {"case"}


@pytest.mark.parametrize("table", ["audit_entry", "custody_entry"])
def test_staff_01_who_edits_the_record_in_the_database_is_noticed(table: str) -> None:
    """STAFF-01: an insider with the database, but no key file, changes and deletes what was written."""
    made, owner = owned()
    entered(owner.user).post(f"/devices/{made.device_id}/revoke/", {"reason": "lost"})
    verify, broken = (
        (trail.verify_all, AuditBroken) if table == "audit_entry" else (ledger.verify_all, LedgerBroken)
    )
    head: Any = verify()
    for deed in (f"UPDATE {table} SET at_us = at_us - 1", f"DELETE FROM {table}"):
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT deed")
            cursor.execute(f"{deed} WHERE number = {head.number}")
        with pytest.raises(broken):
            verify(head)
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT deed")
    assert verify(head) == head
    assert AuditRow.objects.exists()


def test_code_01_code_is_long_checked_and_nowhere_stored() -> None:
    """CODE-01: every single slip is caught, look-alikes are read, the database holds a keyed hash."""
    [made] = making.devices()
    symbols = made.code.replace("-", "")
    assert len(claim_code.ALPHABET) ** (len(symbols) - 1) >= 2**60
    for place, good in enumerate(symbols):
        for wrong in set(claim_code.ALPHABET) - {good}:
            with pytest.raises(claim_code.MalformedClaimCode):
                claim_code.parse(symbols[:place] + wrong + symbols[place + 1 :])
    typed = made.code.lower().replace("0", "o").replace("1", "l")
    assert claim_code.parse(typed).printed == made.code
    row = made.row
    kept = json.dumps([str(value) for value in vars(row).values()]) + bytes(row.claim_code_hash or b"").hex()
    assert symbols not in kept
    assert made.code not in kept
    assert len(bytes(row.claim_code_hash or b"")) == claim_code.HASH_LENGTH


def test_code_01_photograph_of_a_code_is_worth_nothing_after_the_claim() -> None:
    """CODE-01: the code is typed again by somebody else, while the device is owned and after it came back."""
    [made] = making.devices(policy="device_key & label_code")
    owner, thief = customer(), customer()
    type_code(_claimant(owner), made.code, now_us())
    said, _ = making.statement_of(made, None)
    actions.register_device(said, authority=making.authority(), now_us=now_us())
    assert row_of(made).owner == owner.organisation
    for _ in range(2):
        with pytest.raises(CodeRefused):
            type_code(_claimant(thief), made.code, now_us())
        Device.objects.filter(pk=made.row.pk).update(owner=None, life="returned")
    work_off()
    attempts = ClaimAttempt.objects.filter(device=made.row, organisation=thief.organisation)
    assert [one.refused for one in attempts] == [True, True]
    assert all(made.code.replace("-", "").encode() not in bytes(one.guess) for one in attempts)


def _claimant(one: Person) -> Claimant:
    return Claimant(one.organisation, one.user, one.actor)


def _dispatch(made: making.MadeDevice, to: Organisation) -> None:
    actions.record_sale(
        f"D-{os.urandom(4).hex()}", [made.serial], to, actor="operator", source="api", now_us=now_us()
    )
