"""The webhooks page: add one, see what became of each event, and send it once more."""

import re

import pytest
from django.test import Client

from doorstep.server.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.server.portal.browsing import enter
from tests.server.portal.world import World


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    enter(client, world.owner)
    return client


def _act(client: Client, number: int, **told: str) -> str:
    return client.post(f"/webhooks/{number}/act", told, follow=True).content.decode()


def test_owner_adds_a_webhook_and_sees_its_secret_once(world: World, owner: Client) -> None:
    told = {"url": "https://example.org/hook", "types": ["alert.raised", "device.disputed"]}
    page = owner.post("/webhooks/", told).content.decode()
    assert re.search(r"whsec_[A-Za-z0-9+/]{43}=", page)
    row = WebhookEndpoint.objects.latest("pk")
    assert (row.types, row.organisation) == (["alert.raised", "device.disputed"], world.live.owner)
    listed = owner.get("/webhooks/").content.decode()
    assert "alert.raised, device.disputed" in listed
    assert "whsec_" not in listed + owner.get(f"/webhooks/{row.number}/").content.decode()


@pytest.mark.parametrize("url", ["", "http://example.org/", "https://user@example.org/", "nonsense::"])
def test_address_that_can_not_be_is_explained(owner: Client, url: str) -> None:
    before = WebhookEndpoint.objects.count()
    assert "Please check" in owner.post("/webhooks/", {"url": url}).content.decode()
    assert WebhookEndpoint.objects.count() == before


def test_page_shows_what_arrived_and_what_did_not(world: World, owner: Client) -> None:
    page = owner.get(f"/webhooks/{world.webhook}/").content.decode()
    assert "it answered 503" in page
    waiting = owner.get(f"/webhooks/{world.webhook}/?state=delivered").content.decode()
    assert "it answered 503" not in waiting


def test_owner_replays_one_event_and_all_that_did_not_arrive(world: World, owner: Client) -> None:
    rows = WebhookDelivery.objects.filter(endpoint__organisation=world.live.owner)
    arrived, waiting = rows.get(state="delivered"), rows.filter(state="waiting").count()
    page = _act(owner, world.webhook, act="replay", event=arrived.event.event_id)
    assert "under its own id" in page
    assert rows.filter(state="waiting").count() == waiting + 1
    rows.update(state="failed")
    again = _act(owner, world.webhook, act="replay-since", since="week")
    assert f"{waiting + 1} events that did not arrive" in again
    assert "There is no event" in _act(owner, world.webhook, act="replay", event="evt_none")


def test_owner_tries_switches_and_removes(world: World, owner: Client) -> None:
    number = world.webhook
    assert "A test event is on its way" in _act(owner, number, act="test")
    assert "webhook.test" in owner.get(f"/webhooks/{number}/").content.decode()
    assert "switched off by hand" in _act(owner, number, act="switch")
    assert "It is on again." in _act(owner, number, act="switch")
    assert "whsec_" in _act(owner, number, act="secret")
    changed = {"url": "https://example.org/other", "description": "Chat"}
    assert (
        "The webhook is changed." in owner.post(f"/webhooks/{number}/", changed, follow=True).content.decode()
    )
    assert owner.post(f"/webhooks/{number}/act", {"act": "dance"}).status_code == 404
    assert "is gone" in _act(owner, number, act="remove")
    assert owner.get(f"/webhooks/{number}/").status_code == 404


def test_viewer_reads_and_changes_nothing(world: World, client: Client) -> None:
    enter(client, world.viewer)
    page = client.get(f"/webhooks/{world.webhook}/").content.decode()
    assert "Replay" not in page
    assert client.post(f"/webhooks/{world.webhook}/act", {"act": "test"}).status_code == 403
    assert client.post("/webhooks/", {"url": "https://example.org/"}).status_code == 403


def test_colleague_who_sees_a_group_alone_hears_of_no_webhook(world: World, client: Client) -> None:
    enter(client, world.colleague)
    assert client.get("/webhooks/").status_code == 403
    assert "/webhooks/" not in client.get("/devices/").content.decode()


def test_others_webhook_is_not_there(world: World, client: Client) -> None:
    enter(client, world.stranger)
    assert client.get(f"/webhooks/{world.webhook}/").status_code == 404
