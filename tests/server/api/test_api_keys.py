"""Who makes API keys by REST: people who proved who they are, and no key."""

from collections.abc import Callable

import pytest
from django.test import Client

from doorstep.errors import MisuseError
from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.models import Organisation, OrganisationKind, Role, User
from doorstep.server.accounts.permissions import Permission, permissions_of
from tests.server.making import customer
from tests.server.portal.browsing import enter

ClientOf = Callable[..., Client]
_WISH = {"name": "ERP", "scopes": ["customer:devices:read"]}


@pytest.fixture
def owner(rolled_back: None) -> tuple[User, Organisation]:
    user, organisation = customer()
    user.memberships.update(role=Role.OWNER)
    return user, organisation


def test_key_is_shown_once_and_opens_what_it_says_until_it_ends(owner: tuple[User, Organisation]) -> None:
    client = Client()
    enter(client, owner[0])
    made = client.post("/api/v1/api-keys", _WISH, content_type="application/json")
    assert made.status_code == 201
    program = Client(headers={"Authorization": f"Bearer {made.json()['key']}"})
    assert program.get("/api/v1/devices").status_code == 200
    assert program.get("/api/v1/people").status_code == 403
    [listed] = client.get("/api/v1/api-keys").json()["items"]
    assert listed["prefix"] == made.json()["key"].partition(".")[0]
    assert "key" not in listed
    assert client.delete(f"/api/v1/api-keys/{listed['number']}").status_code == 204
    assert program.get("/api/v1/devices").status_code == 401


def test_person_who_did_not_prove_who_they_are_makes_none(owner: tuple[User, Organisation]) -> None:
    client, user = Client(), owner[0]
    user.set_password("a quiet green door")
    user.save()
    client.force_login(user)
    for answer in (
        client.post("/api/v1/api-keys", _WISH, content_type="application/json"),
        client.get("/api/v1/api-keys"),
        client.delete("/api/v1/people/0"),
    ):
        assert answer.status_code == 403
        assert "who they are" in answer.json()["detail"]


def test_key_with_all_scopes_makes_none(owner: tuple[User, Organisation], client_of: ClientOf) -> None:
    answer = client_of(owner[1]).post("/api/v1/api-keys", _WISH, content_type="application/json")
    assert answer.status_code == 403


def test_nobody_gives_a_key_more_than_they_have(owner: tuple[User, Organisation]) -> None:
    own = permissions_of(OrganisationKind.CUSTOMER, Role.VIEWER)
    with pytest.raises(MisuseError, match="customer:devices:write"):
        make_api_key(owner[1], "x", [Permission.CUSTOMER_DEVICES_WRITE], within=own)
    make_api_key(owner[1], "x", [Permission.CUSTOMER_DEVICES_READ], within=own)
