"""Staff accepts an insecure message format beside its risk, and every view says so from then on."""

import html

import pytest
from django.test import Client

from doorstep.messaging.legacy.formats import RISKS, Format
from doorstep.server.accounts.models import Role
from doorstep.server.fleet.legacy import add_board
from doorstep.server.fleet.models import LegacyChange
from doorstep.server.readings.models import Message
from tests.server.portal.world import World, person, send

RISK = RISKS[Format.ARTICLE]


def _address(world: World) -> str:
    return f"/staff/products/{world.product.key}/legacy/"


def _page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def _accept(world: World, client: Client) -> str:
    client.force_login(world.staff)
    answer = client.post(_address(world), {"accept": ["article"]}, follow=True)
    return html.unescape(answer.content.decode())


def test_page_shows_each_risk_beside_its_box_and_nothing_is_on(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = _page(client, _address(world))
    assert all(risk in page for risk in RISKS.values())
    assert "checked" not in page
    assert "nsecure messages" not in _page(client, f"/staff/products/{world.product.key}/")


def test_accepted_format_marks_product_device_and_reading(world: World, client: Client) -> None:
    page = _accept(world, client)
    assert "Insecure messages" in page
    assert RISK in page
    change = LegacyChange.objects.get(product=world.product)
    assert change.actor.partition("@")[0] == f"user:{world.staff.pk}"
    assert any(
        "insecure messages" in _page(client, f"/staff/products/?page={number}") for number in range(1, 9)
    )
    add_board(world.live, "article", "7", actor="operator", now_us=1)
    assert RISK in _page(client, f"/staff/devices/{world.live.device_id}/")
    send(world.live, (world.live.last_seen_us or 0) + 1, data=5)
    newest = Message.objects.filter(device=world.live).order_by("-epoch", "-seq")[0]
    Message.objects.filter(device=world.live, epoch=newest.epoch, seq=newest.seq).update(channel="article")
    client.force_login(world.owner)
    assert "insecure messages" in _page(client, "/devices/")
    shown = _page(client, f"/devices/{world.live.device_id}/")
    assert RISK in shown
    assert '5 <span class="badge bad">insecure</span>' in shown
    points = client.get(f"/api/v1/devices/{world.live.device_id}/readings").json()["points"]
    assert {point["channel"] for point in points} == {"article", "data"}


def test_unknown_format_is_refused(world: World, client: Client) -> None:
    client.force_login(world.staff)
    assert client.post(_address(world), {"accept": ["plain"]}).status_code == 422


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_only_owners_and_admins_choose(role: Role, world: World, client: Client) -> None:
    client.force_login(person(world.staff.memberships.get().organisation, role))
    assert client.get(_address(world)).status_code == 403
    assert client.post(_address(world), {"accept": ["article"]}).status_code == 403
