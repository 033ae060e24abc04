"""People: invited by mail, given a role and groups, changed and removed."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.inviting import INVITED_A_DAY, LIFETIME_US
from doorstep.server.accounts.models import (
    ApiKey,
    DeviceGroup,
    Invitation,
    Member,
    Organisation,
    OrganisationKind,
    Role,
    User,
)
from doorstep.server.accounts.permissions import scopes_of
from doorstep.server.fleet.models import GroupedDevice
from doorstep.server.jobs.models import Job
from tests.server.portal.browsing import enter
from tests.server.portal.world import PASSWORD, World, person

pytestmark = pytest.mark.usefixtures("rolled_back")


def _home(world: World) -> Organisation:
    return world.owner.memberships.get().organisation


def _invite(client: Client, email: str, **more: Any) -> str:
    told = {"email": email, "role": "viewer", "sees": "all"} | more
    return client.post("/people/invite/", told, follow=True).content.decode()


def _newcomer(email: str) -> User:
    user = person(Organisation.objects.create(name="Their own", kind="customer"), Role.OWNER)
    User.objects.filter(pk=user.pk).update(email=email)
    EmailAddress.objects.filter(user=user).update(email=email)
    user.refresh_from_db()
    return user


def test_colleague_is_invited_accepts_and_sees_one_group(world: World, client: Client) -> None:
    group = world.group
    enter(client, world.owner)
    page = _invite(client, "Eve@Example.org", role="operator", sees="groups", group=str(group.pk))
    assert "A mail is on its way to eve@example.org." in page
    letter = Job.objects.filter(kind="mail").latest("pk").arguments
    assert letter["to"] == "eve@example.org"
    assert "/invitations/" in letter["text"]
    eve = Client()
    eve.force_login(_newcomer("eve@example.org"))
    assert "Hillside nursery" in eve.get("/invitations/").content.decode()
    number = Invitation.objects.get(email="eve@example.org").pk
    home = eve.post(f"/invitations/{number}/accept/", follow=True).content.decode()
    assert "Welcome to Hillside nursery." in home
    listed = eve.get("/devices/").content.decode()
    assert world.live.alias in listed
    assert world.quiet.alias not in listed
    assert eve.get("/people/").status_code == 403
    shown = client.get("/people/").content.decode()
    assert "Greenhouses" in shown


def test_stranger_cannot_take_somebody_elses_invitation(world: World, client: Client) -> None:
    enter(client, world.owner)
    _invite(client, "eve@example.org")
    number = Invitation.objects.get().pk
    thief = Client()
    thief.force_login(world.stranger)
    assert "Nobody has invited you" in thief.get("/invitations/").content.decode()
    assert thief.post(f"/invitations/{number}/accept/").status_code == 404
    assert thief.post(f"/invitations/{number}/decline/").status_code == 404


def test_unconfirmed_address_takes_no_invitation(world: World, client: Client) -> None:
    enter(client, world.owner)
    _invite(client, "eve@example.org")
    user = _newcomer("eve@example.org")
    EmailAddress.objects.filter(user=user).update(verified=False)
    client.force_login(user)
    assert client.post(f"/invitations/{Invitation.objects.get().pk}/accept/").status_code == 404


def test_invitation_ends_once_and_in_time(world: World, client: Client) -> None:
    enter(client, world.owner)
    _invite(client, "eve@example.org")
    _invite(client, "eve@example.org", role="operator")
    first, second = Invitation.objects.order_by("pk")
    assert first.closed_us is not None
    client.post(f"/people/invitations/{second.pk}/withdraw/")
    assert client.post(f"/people/invitations/{second.pk}/withdraw/").status_code == 404
    eve = Client()
    eve.force_login(_newcomer("eve@example.org"))
    assert eve.post(f"/invitations/{second.pk}/accept/").status_code == 404
    _invite(client, "eve@example.org")
    Invitation.objects.update(expires_us=LIFETIME_US)
    assert "Nobody has invited you" in eve.get("/invitations/").content.decode()


def test_declined_invitation_is_gone(world: World, client: Client) -> None:
    enter(client, world.owner)
    _invite(client, "eve@example.org")
    eve = Client()
    eve.force_login(_newcomer("eve@example.org"))
    page = eve.post(f"/invitations/{Invitation.objects.get().pk}/decline/", follow=True).content.decode()
    assert "Declined." in page
    assert not Member.objects.filter(organisation=_home(world), user__email="eve@example.org").exists()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"email": "nobody"}, "valid email address"),
        ({"role": "king"}, "king"),
        ({"role": "admin", "sees": "groups", "group": "1"}, "Only operators and viewers"),
        ({"sees": "groups"}, "needs one at least"),
        ({"sees": "groups", "group": "999999"}, "There is no such group here"),
    ],
)
def test_bad_invitation_is_refused_in_words(
    world: World, client: Client, told: dict[str, str], said: str
) -> None:
    enter(client, world.owner)
    assert said in _invite(client, **({"email": "eve@example.org"} | told))
    assert not Invitation.objects.exists()


def test_member_is_not_invited_again(world: World, client: Client) -> None:
    enter(client, world.owner)
    assert "already" in _invite(client, world.viewer.email)


def test_organisation_cannot_fill_strangers_mailboxes(world: World, client: Client) -> None:
    enter(client, world.owner)
    _invite(client, "first@example.org")
    first = Invitation.objects.get()
    for number in range(INVITED_A_DAY - 1):
        first.pk, first.email = None, f"{number}@example.org"
        first.save(force_insert=True)
    assert "Go on tomorrow" in _invite(client, "one-more@example.org")


def test_invited_person_who_signs_up_gets_no_empty_home(world: World, client: Client) -> None:
    cache.clear()
    enter(client, world.owner)
    _invite(client, "new@example.org")
    form = {"email": "new@example.org", "password1": PASSWORD, "name": "New", "organisation": ""}
    Client().post("/accounts/signup/", form)
    user = User.objects.get(email="new@example.org")
    assert not user.memberships.exists()
    EmailAddress.objects.filter(user=user).update(verified=True)
    fresh = Client()
    fresh.force_login(user)
    page = fresh.get("/", follow=True).content.decode()
    assert "Hillside nursery" in page
    assert "Open my own" in page
    assert fresh.post("/invitations/begin/", follow=True).status_code == 200
    assert user.memberships.get().role == Role.OWNER


def test_admin_changes_roles_but_makes_no_owner(world: World, client: Client) -> None:
    home = _home(world)
    enter(client, person(home, Role.ADMIN))
    viewer = Member.objects.get(user=world.viewer)
    client.post(f"/people/{viewer.pk}/", {"role": "operator", "sees": "all"})
    viewer.refresh_from_db()
    assert viewer.role == Role.OPERATOR
    assert (
        "Select a valid choice"
        in client.post(f"/people/{viewer.pk}/", {"role": "owner", "sees": "all"}).content.decode()
    )
    owner = Member.objects.get(user=world.owner)
    said = client.post(f"/people/{owner.pk}/", {"role": "viewer", "sees": "all"}).content.decode()
    assert "only an owner" in said.lower()
    client.post(f"/people/{owner.pk}/remove/")
    assert Member.objects.filter(pk=owner.pk).exists()


def test_last_owner_stays(world: World, client: Client) -> None:
    enter(client, world.owner)
    me = Member.objects.get(user=world.owner)
    said = client.post(f"/people/{me.pk}/", {"role": "viewer", "sees": "all"}).content.decode()
    assert "Make somebody else an owner first" in said
    said = client.post(f"/people/{me.pk}/remove/", follow=True).content.decode()
    assert "Make somebody else an owner first" in said
    viewer = Member.objects.get(user=world.viewer)
    client.post(f"/people/{viewer.pk}/", {"role": "owner", "sees": "all"})
    client.post(f"/people/{me.pk}/remove/")
    assert not Member.objects.filter(pk=me.pk).exists()


def test_viewer_leaves_but_removes_nobody(world: World, client: Client) -> None:
    enter(client, world.viewer)
    owner, me = Member.objects.get(user=world.owner), Member.objects.get(user=world.viewer)
    assert client.post(f"/people/{owner.pk}/remove/").status_code == 403
    assert client.get(f"/people/{owner.pk}/").status_code == 403
    assert client.get("/people/invite/").status_code == 403
    page = client.post(f"/people/{me.pk}/remove/", follow=True).content.decode()
    assert "You belong to no organisation now" in page


def test_people_of_others_do_not_exist(world: World, client: Client) -> None:
    enter(client, world.stranger)
    member = Member.objects.get(user=world.viewer)
    assert client.get(f"/people/{member.pk}/").status_code == 404
    assert client.post(f"/people/{member.pk}/remove/").status_code == 404


def test_dangerous_changes_ask_whether_it_is_still_you(world: World, client: Client) -> None:
    client.force_login(world.owner)
    member = Member.objects.get(user=world.viewer)
    answer = client.post(f"/people/{member.pk}/", {"role": "owner", "sees": "all"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    member.refresh_from_db()
    assert member.role == Role.VIEWER
    client.post(answer["Location"], {"password": PASSWORD})
    member.refresh_from_db()
    assert member.role == Role.OWNER


def test_owner_makes_fills_renames_and_removes_a_group(world: World, client: Client) -> None:
    enter(client, world.owner)
    client.post("/groups/", {"name": " North  wing "})
    group = DeviceGroup.objects.get(name="North wing")
    assert "There is a group" in client.post("/groups/", {"name": "North wing"}).content.decode()
    client.post(f"/groups/{group.pk}/devices/", {"add": world.live.device_id})
    page = client.get(f"/groups/{group.pk}/").content.decode()
    assert world.live.alias in page
    client.post(f"/groups/{group.pk}/", {"name": "South wing"})
    assert "South wing" in client.get("/groups/").content.decode()
    client.post(f"/groups/{group.pk}/devices/", {"take": world.live.device_id})
    assert "No device stands here yet" in client.get(f"/groups/{group.pk}/").content.decode()
    client.post(f"/groups/{group.pk}/remove/")
    assert not DeviceGroup.objects.filter(name__endswith="wing").exists()


def test_viewer_reads_groups_and_changes_none(world: World, client: Client) -> None:
    group = world.group
    enter(client, world.viewer)
    assert "Greenhouses" in client.get("/groups/").content.decode()
    for path in ("/groups/", f"/groups/{group.pk}/", f"/groups/{group.pk}/devices/"):
        assert client.post(path, {"name": "x", "add": world.live.device_id}).status_code == 403, path
    assert client.post(f"/groups/{group.pk}/remove/").status_code == 403


def test_group_of_another_organisation_does_not_exist(world: World, client: Client) -> None:
    group = world.group
    enter(client, world.stranger)
    for path in (f"/groups/{group.pk}/", f"/groups/{group.pk}/devices/", f"/groups/{group.pk}/remove/"):
        assert client.post(path, {"name": "x", "add": world.live.device_id}).status_code == 404, path


def test_device_of_others_goes_into_no_group(world: World, client: Client) -> None:
    mine = DeviceGroup.objects.create(organisation=world.stranger.memberships.get().organisation, name="M")
    enter(client, world.stranger)
    answer = client.post(f"/groups/{mine.pk}/devices/", {"add": world.live.device_id})
    assert answer.status_code == 404
    assert not GroupedDevice.objects.filter(group=mine).exists()


def test_admin_makes_a_key_that_does_what_its_scopes_say_and_ends_it(world: World, client: Client) -> None:
    enter(client, world.owner)
    told = {
        "name": "dashboard",
        "days": "30",
        "group": str(world.group.pk),
        "scope": ["customer:devices:read", "customer:tokens:write"],
    }
    page = client.post("/keys/", told).content.decode()
    found = re.search(r"<code>(dk[^<]+)</code>", page)
    assert found
    bearer = {"Authorization": f"Bearer {found[1]}"}
    listed = Client().get("/api/v1/devices", headers=bearer).json()["items"]
    assert [one["device_id"] for one in listed] == [world.live.device_id]
    # What concerns the whole organisation is nothing for a key that sees a group.
    made = Client().post("/api/v1/registration-tokens", {}, "application/json", headers=bearer)
    assert made.status_code == 403
    row = ApiKey.objects.get(name="dashboard")
    assert row.expires_at is not None
    assert row.last_used_at is not None
    assert found[1] not in client.get("/keys/").content.decode()
    client.post(f"/keys/{row.pk}/end/")
    assert Client().get("/api/v1/devices", headers=bearer).status_code == 401
    assert "Ended" in client.get("/keys/").content.decode()


def test_expired_key_opens_nothing(world: World) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    key, _ = make_api_key(_home(world), "old", ["customer:devices:read"], expires_at=past)
    answer = Client().get("/api/v1/devices", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("scope", [[], ["maker:sales:write"], ["customer:keys:write"], ["nonsense"]])
def test_key_gets_no_scope_of_others_and_none_over_keys(
    world: World, client: Client, scope: list[str]
) -> None:
    enter(client, world.owner)
    page = client.post("/keys/", {"name": "x", "days": "30", "scope": scope}).content.decode()
    assert "Use some of" in page
    assert not ApiKey.objects.filter(name="x").exists()


def test_key_of_others_is_not_ended(world: World, client: Client) -> None:
    _, row = make_api_key(_home(world), "theirs", ["customer:devices:read"])
    enter(client, world.stranger)
    assert client.post(f"/keys/{row.pk}/end/").status_code == 404
    client.force_login(world.viewer)
    assert client.post(f"/keys/{row.pk}/end/").status_code == 403


def test_only_owner_deletes_the_account_once_nothing_hangs_on_it(world: World, client: Client) -> None:
    enter(client, world.owner)
    page = client.post("/account/delete/")
    assert page.status_code == 409
    assert "Make somebody else an owner of Hillside nursery" in page.content.decode()
    Member.objects.filter(organisation=_home(world)).exclude(user=world.owner).delete()
    assert "Hand over or give up its 5 devices" in client.get("/account/delete/").content.decode()
    new = person(_home(world), Role.OWNER)
    number = world.owner.pk
    assert client.post("/account/delete/")["Location"] == "/accounts/login/"
    assert not User.objects.filter(pk=number).exists()
    assert new.memberships.get().organisation.devices.count() == 5
    assert client.get("/devices/").status_code == 302


def test_person_alone_leaves_nothing_behind(client: Client) -> None:
    user = person(Organisation.objects.create(name="Just me", kind="customer"), Role.OWNER)
    enter(client, user)
    client.post("/account/delete/")
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Organisation.objects.filter(name="Just me").exists()


def test_organisation_with_a_history_loses_its_name(world: World, client: Client) -> None:
    organisation = world.stranger.memberships.get().organisation
    enter(client, world.stranger)
    client.post("/account/delete/")
    organisation.refresh_from_db()
    assert organisation.name == "Closed account"
    assert not organisation.members.exists()


def test_last_owner_of_the_maker_stays(world: World, client: Client) -> None:
    Member.objects.filter(organisation__kind="maker").exclude(user=world.staff).delete()
    Member.objects.filter(user=world.staff).update(role=Role.OWNER)
    enter(client, world.staff)
    assert "needs an owner" in client.get("/account/delete/").content.decode()


def test_program_reads_invites_and_groups_but_makes_no_owner(world: World) -> None:
    home = _home(world)
    key, _ = make_api_key(home, "people", scopes_of(OrganisationKind.CUSTOMER))
    client = Client(headers={"Authorization": f"Bearer {key}"})

    def send(method: str, path: str, body: object = None) -> Any:
        return client.generic(method, f"/api/v1{path}", json.dumps(body), "application/json")

    people = client.get("/api/v1/people").json()["items"]
    limited = next(one for one in people if one["email"] == world.colleague.email)
    assert limited["groups"] == [world.group.pk]
    told = {"email": "eve@example.org", "role": "viewer"}
    assert send("POST", "/invitations", told).status_code == 201
    assert send("POST", "/invitations", told | {"role": "owner"}).status_code == 409
    [waiting] = client.get("/api/v1/invitations").json()["items"]
    assert send("DELETE", f"/invitations/{waiting['number']}").status_code == 204
    assert send("DELETE", f"/invitations/{waiting['number']}").status_code == 404
    changed = send("PUT", f"/people/{limited['number']}", {"role": "viewer", "groups": None}).json()
    assert (changed["role"], changed["groups"]) == ("viewer", None)
    assert send("DELETE", f"/people/{limited['number']}").status_code == 204
    assert send("PUT", "/people/0", {"role": "viewer"}).status_code == 404
    made = send("POST", "/groups", {"name": "Roof"}).json()
    path = f"/groups/{made['number']}"
    assert send("PUT", path, {"name": "Cellar"}).json()["name"] == "Cellar"
    assert send("PUT", f"{path}/devices/{world.quiet.device_id}").status_code == 204
    assert send("PUT", f"{path}/devices/{world.held.device_id}").status_code == 404
    listed = {one["name"]: one["devices"] for one in client.get("/api/v1/groups").json()["items"]}
    assert listed == {"Greenhouses": 1, "Cellar": 1}
    assert send("DELETE", f"{path}/devices/{world.quiet.device_id}").status_code == 204
    assert send("DELETE", path).status_code == 204
    assert send("DELETE", path).status_code == 404
