"""What happens to devices is told to whom it concerns, in the transaction in which it happens."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from doorstep.ownership.ledger import Kind
from doorstep.server.accounts.models import Organisation
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import make_registration_token, record_sale, register_device
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.webhooks.actions import add_endpoint
from doorstep.server.webhooks.events import BY_KIND, EventType
from doorstep.server.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from doorstep.server.webhooks.outbox import emit
from tests.server.making import MadeDevice, authority, customer, devices, maker, statement_of, wholesaler

_PAGE = Path(__file__).parents[3] / "docs" / "spec" / "webhooks.md"


@pytest.fixture(autouse=True)
def _nobody_listens(rolled_back: None) -> None:
    WebhookEndpoint.objects.all().delete()


def _listen(*organisations: Organisation) -> None:
    for one in organisations:
        add_endpoint(one, "https://example.org/", (), "", now_us=now_us())


def _told(organisation: Organisation) -> list[tuple[str, dict[str, Any]]]:
    rows = WebhookEvent.objects.filter(organisation=organisation).order_by("pk")
    assert WebhookDelivery.objects.filter(event__organisation=organisation).count() == len(rows)
    return [(row.type, row.payload) for row in rows]


def _register(device: MadeDevice, user: Any, organisation: Organisation) -> None:
    token, _ = make_registration_token(organisation, user, now_us=now_us())
    register_device(statement_of(device, token)[0], authority=authority(), now_us=now_us())


def test_maker_and_owner_hear_of_a_device_and_others_do_not() -> None:
    [device] = devices(policy="device_key & setup_session")
    (user, owner), (other_user, other), (_, stranger), (_, the_maker) = (
        customer(),
        customer(),
        customer(),
        maker(),
    )
    _listen(owner, other, stranger, the_maker)
    _register(device, user, owner)
    _register(device, other_user, other)
    revoke_device(device.row, "operator", "stolen", now_us=now_us())
    assert [kind for kind, _ in _told(the_maker)] == [
        "device.registered",
        "device.disputed",
        "device.revoked",
    ]
    assert [kind for kind, _ in _told(owner)] == ["device.registered", "device.disputed", "device.revoked"]
    assert [kind for kind, _ in _told(other)] == ["device.disputed"]
    assert _told(stranger) == []
    for _, payload in _told(owner):
        assert (payload["device_id"], payload["serial"]) == (device.device_id, device.serial)


def test_owner_hears_of_a_dispute_without_the_other_side() -> None:
    [device] = devices(policy="device_key & setup_session")
    (user, owner), (other_user, other) = customer(), customer()
    _register(device, user, owner)
    _listen(owner, other)
    _register(device, other_user, other)
    assert _told(owner)[0][1].keys() == {"device_id", "serial", "at_us"}
    assert _told(other)[0][1]["evidence"] == "device_key setup_session"


def test_sale_is_told_once_with_its_serials() -> None:
    buyer, (_, the_maker) = wholesaler(), maker()
    _listen(buyer, the_maker)
    made = devices(2)
    record_sale("W-1", [one.serial for one in made], buyer, actor="operator", source="api", now_us=now_us())
    known = {"order": "W-1", "serials": [one.serial for one in made]}
    sales = [payload for kind, payload in _told(buyer) if kind == "sale.recorded"]
    assert sales == [known]
    sales = [payload for kind, payload in _told(the_maker) if kind == "sale.recorded"]
    assert sales == [known | {"buyer_email": "", "wholesaler": buyer.name}]


def test_what_is_rolled_back_was_never_told() -> None:
    _, owner = customer()
    _listen(owner)
    with transaction.atomic():
        emit(EventType.ALERT_RAISED, owner.pk, {}, now_us=now_us())
        transaction.set_rollback(True)
    assert _told(owner) == []


def test_disabled_endpoint_gets_nothing_and_keeps_nothing() -> None:
    _, owner = customer()
    _listen(owner)
    WebhookEndpoint.objects.update(enabled=False)
    emit(EventType.ALERT_RAISED, owner.pk, {}, now_us=now_us())
    assert _told(owner) == []


def test_telling_nobody_costs_one_question() -> None:
    _, owner = customer()
    with CaptureQueriesContext(connection) as asked:
        emit(EventType.ALERT_RAISED, owner.pk, {}, now_us=now_us())
    assert len(asked) == 1


def test_every_entry_about_a_device_changing_hands_or_standing_is_told() -> None:
    silent = {Kind.MADE, Kind.STOCKED, Kind.ONBOARDED, Kind.SETUP_RELEASED, Kind.CODE_RELEASED}
    assert {"owned", "claim_held", "claim_disputed", "blocked", "transferred"} <= set(map(str, BY_KIND))
    assert not silent & BY_KIND.keys()
    assert len(set(BY_KIND.values())) == len(BY_KIND)


def test_page_names_every_type_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [str(one) for one in EventType]
