"""Devices over REST: everybody sees theirs, and what is not theirs looks as if it were not there."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from doorstep.server.accounts.models import ApiKey, Member, Organisation, Role, User
from doorstep.server.api.describe import description
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.fleet.models import Device
from doorstep.server.readings.models import DeadLetter, Message
from tests.server.described import CHECKED_IN
from tests.server.making import MadeDevice, authority, customer, devices, maker, statement_of, wholesaler


@pytest.fixture
def owned(rolled_back: None) -> tuple[MadeDevice, User, Organisation]:
    [device] = devices()
    user, organisation = customer()
    actions.record_sale("O", [device.serial], user.email, actor="operator", source="api", now_us=now_us())
    token, _ = actions.make_registration_token(organisation, user, "Cellar", now_us=now_us())
    said, _ = statement_of(device, token)
    actions.register_device(said, authority=authority(), now_us=now_us())
    return device, user, organisation


Owned = tuple[MadeDevice, User, Organisation]
ClientOf = Callable[..., Client]


def _revoke(client: Client, device: MadeDevice, reason: str = "lost") -> Any:
    path = f"/api/v1/devices/{device.device_id}/revoke"
    return client.post(path, {"reason": reason}, content_type="application/json")


def test_owner_sees_device(owned: Owned, client_of: ClientOf) -> None:
    device, _, organisation = owned
    client = client_of(organisation)
    page = client.get("/api/v1/devices").json()
    assert page["next"] is None
    assert page["items"] == [client.get(f"/api/v1/devices/{device.device_id}").json()]
    assert page["items"][0]["alias"] == "Cellar"
    assert page["items"][0]["life"] == "owned"


def test_maker_sees_device_but_not_what_its_owner_calls_it(owned: Owned, erp: Client) -> None:
    answer = erp.get(f"/api/v1/devices/{owned[0].device_id}").json()
    assert (answer["alias"], answer["last_seen_us"], answer["owned"]) == ("", None, True)


def test_wholesaler_sees_stock_until_somebody_owns_it(client_of: ClientOf) -> None:
    buyer = wholesaler()
    device, _ = devices(2)
    actions.record_sale("W", [device.serial], buyer, actor="operator", source="api", now_us=now_us())
    items = client_of(buyer).get("/api/v1/devices").json()["items"]
    assert [item["device_id"] for item in items] == [device.device_id]


@pytest.mark.parametrize("path", ["", "/readings", "/ledger"])
def test_foreign_and_missing_devices_look_alike(owned: Owned, client_of: ClientOf, path: str) -> None:
    stranger = client_of(customer()[1])
    foreign = stranger.get(f"/api/v1/devices/{owned[0].device_id}{path}")
    missing = stranger.get(f"/api/v1/devices/aaaaaaaa{path}")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.content.replace(owned[0].device_id.encode(), b"aaaaaaaa") == missing.content


def test_bind_09_foreign_token_can_not_revoke(owned: Owned, client_of: ClientOf) -> None:
    """BIND-09: only the owner's and the maker's keys end a device."""
    stranger = client_of(customer()[1])
    assert _revoke(stranger, owned[0]).status_code == 404
    assert not owned[0].row.blocked


@pytest.mark.parametrize("by_maker", [True, False])
def test_device_is_revoked(owned: Owned, client_of: ClientOf, by_maker: bool) -> None:  # noqa: FBT001
    client = client_of(maker()[1] if by_maker else owned[2])
    first = _revoke(client, owned[0])
    assert first.status_code == 202
    assert first.json()["kicked_us"] is None
    assert _revoke(client, owned[0], "again").json() == first.json()
    assert owned[0].row.blocked


def test_owner_reads_readings_of_their_own_period(owned: Owned, client_of: ClientOf, erp: Client) -> None:
    device, _, organisation = owned
    row = device.row
    for seq, period in enumerate([row.ownership_period, row.ownership_period + 1]):
        Message.objects.create(
            device=row,
            epoch=1,
            seq=seq,
            channel="data",
            received_us=1_000_000 + seq,
            ownership_period=period,
            reading_count=1,
            payload=json.dumps({"temperature": 20.5 + seq}).encode(),
        )
    Device.objects.filter(pk=row.pk).update(last_seen_us=1_000_001)
    client = client_of(organisation)
    path = f"/api/v1/devices/{device.device_id}/readings"
    answer = client.get(path).json()
    assert [(point["name"], point["value"]) for point in answer["points"]] == [("temperature", 20.5)]
    assert client.get(path, {"after_us": answer["next_after_us"]}).json()["points"] == []
    assert erp.get(path).status_code == 403


def test_owner_reads_the_ledger_without_the_others(owned: Owned, client_of: ClientOf, erp: Client) -> None:
    device, _, organisation = owned
    visitor, other = customer()
    token, _ = actions.make_registration_token(other, visitor, now_us=now_us())
    said, _ = statement_of(device, token)
    actions.register_device(said, authority=authority(), now_us=now_us())
    path = f"/api/v1/devices/{device.device_id}/ledger"
    entries = client_of(organisation).get(path).json()["items"]
    assert [entry["kind"] for entry in entries] == ["made", "sold", "onboarded", "owned", "claim_disputed"]
    assert (entries[-1]["detail"], entries[-1]["actor"]) == ({}, "")
    assert entries[3]["detail"]["organisation"] == organisation.pk
    assert erp.get(path).json()["items"][-1]["detail"]["organisation"] == other.pk


def test_devices_come_in_pages(client_of: ClientOf, erp: Client) -> None:
    made = devices(3)
    page = erp.get("/api/v1/devices", {"limit": 2}).json()
    assert len(page["items"]) == 2
    ids = [item["device_id"] for item in page["items"]]
    while page["next"]:
        page = erp.get("/api/v1/devices", {"limit": 200, "cursor": page["next"]}).json()
        ids += [item["device_id"] for item in page["items"]]
    assert ids == sorted(set(ids))
    assert {device.device_id for device in made} <= set(ids)


def test_customer_makes_registration_token(client_of: ClientOf) -> None:
    client = client_of(customer()[1])
    answer = client.post("/api/v1/registration-tokens", {"alias": "Attic"}, content_type="application/json")
    assert answer.status_code == 201
    assert len(answer.json()["token"]) == 43
    assert 0 < answer.json()["expires_us"] - now_us() <= 10 * 60 * 1_000_000


@pytest.mark.parametrize(
    ("code", "status"),
    [("7K3M-9QWX-T2HB-0", 400), ("short", 400), ("x" * 65, 422)],
    ids=["check", "short", "long"],
)
def test_mistyped_code_is_explained(client_of: ClientOf, code: str, status: int) -> None:
    client = client_of(customer()[1])
    answer = client.post("/api/v1/registration-tokens", {"code": code}, content_type="application/json")
    assert answer.status_code == status
    assert code not in answer.json()["detail"]


def test_maker_reads_dead_letters_and_customers_do_not(client_of: ClientOf, erp: Client) -> None:
    DeadLetter.objects.create(at_us=1, device_id="abcdefgh", topic="d/x", reason="forbidden_topic", size=3)
    items = erp.get("/api/v1/dead-letters", {"device_id": "abcdefgh"}).json()["items"]
    assert [item["reason"] for item in items] == ["forbidden_topic"]
    assert client_of(customer()[1]).get("/api/v1/dead-letters").status_code == 403


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}]
)
def test_stranger_is_asked_for_a_key(rolled_back: None, header: dict[str, str]) -> None:
    answer = Client(headers=header).get("/api/v1/devices")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["content-type"] == "application/problem+json"


def test_revoked_key_opens_nothing(client_of: ClientOf) -> None:
    _, organisation = customer()
    client = client_of(organisation)
    ApiKey.objects.filter(organisation=organisation).update(revoked_at="2026-01-01T00:00Z")
    assert client.get("/api/v1/devices").status_code == 401


def test_session_reads_freely_and_writes_with_the_csrf_token_only(owned: Owned) -> None:
    device, user, _ = owned
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get(f"/api/v1/devices/{device.device_id}").status_code == 200
    assert _revoke(client, device).status_code == 403
    assert not device.row.blocked


def test_viewer_reads_and_does_not_revoke(owned: Owned) -> None:
    device, user, _ = owned
    Member.objects.filter(user=user).update(role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    assert client.get("/api/v1/devices").status_code == 200
    assert _revoke(client, device).status_code == 403


def test_description_is_the_one_that_is_checked_in() -> None:
    """Regenerate it with: python -m doorstep.server.api.describe > docs/reference/openapi.json."""
    assert CHECKED_IN.read_text(encoding="utf-8") == description()
