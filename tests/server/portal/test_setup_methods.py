"""Staff chooses set-up methods: each weak one stands beside its risk, and every view of it says so."""

import html

import pytest
from django.test import Client

from doorstep.onboarding.choice import weak
from doorstep.onboarding.methods import DEFAULTS, METHODS
from doorstep.server.accounts.models import Role
from doorstep.server.fleet.models import Batch, OnboardingChange, Product
from tests.server.portal.world import World, person

RISK = METHODS["micro-ap"].risk


def _address(world: World) -> str:
    return f"/staff/products/{world.product.key}/setup/"


def _page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def _methods(world: World) -> list[str]:
    return list(Product.objects.get(pk=world.product.pk).onboarding_methods)


def test_page_shows_every_method_with_its_risk_and_a_box_for_each_weak_one(
    world: World, client: Client
) -> None:
    client.force_login(world.staff)
    page = _page(client, _address(world))
    for method in METHODS.values():
        assert (method.risk in page) == method.may_be_chosen or method.key == "protocomm-sec0"
        assert (f'id="accept-{method.key}"' in page) == method.needs_consent
    assert "Choose set-up methods" in _page(client, f"/staff/products/{world.product.key}/")


def test_weak_method_without_its_box_is_refused_and_keeps_what_was_ticked(
    world: World, client: Client
) -> None:
    client.force_login(world.staff)
    answer = client.post(_address(world), {"method": [*DEFAULTS, "micro-ap", "dpp"]})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert f"is weak: {RISK}" in page
    assert 'value="dpp" checked' in page
    assert _methods(world) == list(DEFAULTS)


def test_accepted_risk_is_stored_with_the_person_and_marks_every_view(world: World, client: Client) -> None:
    client.force_login(world.staff)
    wish = {"method": [*DEFAULTS, "micro-ap"], "accept": ["micro-ap", "blufi"]}
    page = html.unescape(client.post(_address(world), wish, follow=True).content.decode())
    assert "Weak set-up enabled" in page
    assert RISK in page
    assert _methods(world) == [*DEFAULTS, "micro-ap"]
    change = OnboardingChange.objects.get(product=world.product)
    assert (change.actor.partition("@")[0], change.risk) == (f"user:{world.staff.pk}", RISK)
    assert "Who accepted what" in _page(client, _address(world))
    assert any("weak set-up" in _page(client, f"/staff/products/?page={number}") for number in range(1, 9))


def test_devices_made_with_a_weak_method_say_so_to_staff_and_owner(world: World, client: Client) -> None:
    Batch.objects.filter(pk=world.batch.pk).update(onboarding_methods=["micro-ap"])
    client.force_login(world.staff)
    for path in (f"/staff/devices/{world.live.device_id}/", f"/staff/batches/{world.batch.number}/"):
        assert "Weak set-up enabled" in _page(client, path)
    client.force_login(world.owner)
    assert RISK in _page(client, f"/devices/{world.live.device_id}/")
    assert "weak set-up" in _page(client, "/devices/")


def test_safe_devices_carry_no_mark(world: World, client: Client) -> None:
    assert weak(world.batch.onboarding_methods) == ()
    client.force_login(world.owner)
    assert "eak set-up" not in _page(client, f"/devices/{world.live.device_id}/") + _page(client, "/devices/")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_only_owners_and_admins_choose(role: Role, world: World, client: Client) -> None:
    client.force_login(person(world.staff.memberships.get().organisation, role))
    assert client.get(_address(world)).status_code == 403
    assert client.post(_address(world), {"method": ["dpp"]}).status_code == 403
    client.force_login(world.owner)
    assert client.get(_address(world)).status_code == 404
