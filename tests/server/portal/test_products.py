"""The wizard gives the engine's answer, and staff makes products whose policy it understands."""

import html

import pytest
from django.http import QueryDict
from django.test import Client

from doorstep.server.accounts.models import Role
from doorstep.server.fleet.models import Product
from doorstep.server.portal.views.products import AdviseForm
from tests.server.portal.browsing import ANSWERS
from tests.server.portal.world import World, person

_ADVISE = "/staff/products/advise/"
_NEW = "/staff/products/new/"
_DEFAULT = "device_key & setup_session & (sale | label_code | staff)"
_FORM = {"name": "Stove  Guard", "key": "stove-guard", "claim_policy": "device_key & setup_session & sale"}


def _page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def _changed(**changes: str) -> str:
    query = QueryDict(ANSWERS, mutable=True)
    for name, text in changes.items():
        query[name] = text
    return f"{_ADVISE}?{query.urlencode()}"


def test_wizard_answers_on_the_same_page(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = _page(client, f"{_ADVISE}?{ANSWERS}")
    for words in (
        "We recommend: certificate with sealed-credentials",
        "weaker than this damage asks for: secure element",
        "What an attacker can still do",
        "Next cheaper",
        "Next stronger",
        "% of its price",
        "Sums of assumptions",
        "the device itself registers",
    ):
        assert words in page
    link = page.split('button primary" href="')[1].split('"')[0]
    made = _page(client, link)
    assert "device_key & setup_session & (sale | staff)</textarea>" in made
    assert "the maker's staff confirm" in made


def test_wizard_shows_what_no_chip_can_do_and_offers_no_product(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = _page(client, _changed(chip="no-crypto"))
    assert "No product can be made with it here" in page
    assert "Make a product with it" not in page


def test_wizard_counts_with_the_makers_own_prices(world: World, client: Client) -> None:
    client.force_login(world.staff)
    assert "7.25 each" in _page(client, _changed(label="7.25"))
    refused = _page(client, _changed(label="dear"))
    assert "'dear' is not an amount" in refused
    assert '<details class="more" open>' in refused


BAD_ANSWERS = {
    "no price": {"price": ""},
    "a word": {"price": "cheap"},
    "no number": {"budget": "NaN"},
    "endless": {"budget": "Infinity"},
    "almost nothing": {"price": "1e-999"},
    "half a device": {"units": "0.5"},
    "no device": {"units": "0"},
    "an unknown chip": {"chip": "quantum"},
    "neither yes nor no": {"can_scan": "perhaps"},
    "an upside-down range": {"key-start": "9..1"},
    "a control character": {"element-part": "1\0"},
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_wizard_asks_again_for(name: str, world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = _page(client, _changed(**BAD_ANSWERS[name]))
    assert "Please check this" in page
    assert "We recommend" not in page


def test_wizard_has_a_field_for_every_question() -> None:
    form = AdviseForm()
    assert {field.name for field in [*form.questions, *form.prices]} == set(form.fields)
    assert not form.has_price_errors


def test_staff_makes_a_product_and_reads_what_its_policy_means(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = html.unescape(client.post(_NEW, _FORM, follow=True).content.decode())
    made = Product.objects.get(key="stove-guard")
    assert (made.name, made.claim_policy) == ("Stove Guard", _FORM["claim_policy"])
    assert "Stove Guard is there" in page
    assert "the seller's records name you" in page


def test_new_product_begins_with_the_strong_policy(world: World, client: Client) -> None:
    client.force_login(world.staff)
    assert f"{_DEFAULT}</textarea>" in _page(client, _NEW)


def test_explanation_makes_nothing(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = html.unescape(client.post(_NEW, _FORM | {"explain": "1", "name": ""}).content.decode())
    assert "the seller's records name you" in page
    assert "Please check" not in page
    bad = client.post(_NEW, _FORM | {"explain": "1", "claim_policy": "order_ref"}).content.decode()
    assert "met by weak evidence alone" in bad
    assert not Product.objects.filter(key="stove-guard").exists()


BAD_PRODUCTS = {
    "no name": ({"name": " "}, "Name"),
    "a key with blanks": ({"key": "stove guard"}, "product key"),
    "a key that is a page": ({"key": "advise"}, "has a page called advise"),
    "weak evidence": ({"claim_policy": "order_ref"}, "weak evidence alone"),
    "unknown evidence": ({"claim_policy": "device_key & luck"}, "luck"),
    "an open parenthesis": ({"claim_policy": "(sale"}, "not closed"),
    "no policy": ({"claim_policy": ""}, "Claim policy"),
    "a long policy": ({"claim_policy": "sale&" * 100 + "sale"}, "400"),
}


@pytest.mark.parametrize("name", BAD_PRODUCTS)
def test_portal_refuses_a_product_with(name: str, world: World, client: Client) -> None:
    changes, words = BAD_PRODUCTS[name]
    before = Product.objects.count()
    client.force_login(world.staff)
    page = html.unescape(client.post(_NEW, _FORM | changes).content.decode())
    assert "Please check this" in page
    assert words in page
    assert Product.objects.count() == before


def test_taken_key_changes_no_product(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = client.post(_NEW, _FORM | {"key": world.product.key}).content.decode()
    assert f"product {world.product.key} already" in page
    assert Product.objects.get(key=world.product.key).name == world.product.name


def test_only_the_makers_owners_and_admins_make_products(world: World, client: Client) -> None:
    maker = world.staff.memberships.get().organisation
    for role, status in ((Role.OPERATOR, 403), (Role.VIEWER, 403), (Role.OWNER, 200)):
        client.force_login(person(maker, role))
        assert client.get(_NEW).status_code == status
        offered = "New product" in _page(client, "/staff/products/")
        assert offered == (status == 200)
        assert ("Make a product with it" in _page(client, f"{_ADVISE}?{ANSWERS}")) == offered
        if status != 200:
            assert client.post(_NEW, _FORM).status_code == status
    client.force_login(world.owner)
    assert client.post(_NEW, _FORM).status_code == 404
    assert not Product.objects.filter(key="stove-guard").exists()
