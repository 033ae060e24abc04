"""Tokens, revocations and their error paths, through the forms."""

import base64
import hashlib
import re

import pytest
from django.test import Client

from doorstep.identity import release
from doorstep.server.accounts.models import User
from doorstep.server.clock import now_us
from doorstep.server.custody.models import CustodyEntry, RegistrationToken
from doorstep.server.fleet.models import Device
from tests.server import making
from tests.server.portal.world import World


def _token(page: str) -> str:
    found = re.search(r'id="token">([\w-]{43})<', page)
    assert found
    return found[1]


def test_customer_makes_a_token_that_is_shown_once(world: World, client: Client) -> None:
    client.force_login(world.owner)
    page = client.post("/devices/add/", {"alias": "North wall", "code": ""}).content.decode()
    token = _token(page)
    row = RegistrationToken.objects.get(token_hash=hashlib.sha256(token.encode()).digest())
    assert (row.alias, row.organisation) == ("North wall", world.owner.memberships.get().organisation)
    assert f"DOORSTEP_TOKEN={token} doorstep provision" in page
    for path in (f"/devices/added/{row.pk}/", f"/devices/added/{row.pk}/state"):
        assert token not in client.get(path).content.decode()


def test_progress_follows_the_token(world: World, client: Client) -> None:
    client.force_login(world.owner)
    client.post("/devices/add/", {"alias": "", "code": ""})
    row = RegistrationToken.objects.order_by("-pk").get(used_by=None, created_by=world.owner)
    path = f"/devices/added/{row.pk}/"
    assert client.get(f"{path}state").json()["state"] == "waiting"
    RegistrationToken.objects.filter(pk=row.pk).update(expires_at_us=now_us() - 1)
    assert client.get(f"{path}state").json()["state"] == "expired"
    assert "Make a new one" in client.get(path).content.decode()
    RegistrationToken.objects.filter(pk=row.pk).update(used_by=world.waiting, used_at_us=now_us())
    answer = client.get(f"{path}state").json()
    assert answer["state"] == "bound"
    assert answer["url"] == f"/devices/{world.waiting.device_id}/"
    assert answer["url"] in client.get(path).content.decode()


def test_progress_of_a_held_claim_names_no_device(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    client.post("/devices/add/", {"alias": "", "code": ""})
    row = RegistrationToken.objects.get(created_by=world.stranger)
    RegistrationToken.objects.filter(pk=row.pk).update(used_by=world.held, used_at_us=now_us())
    answer = client.get(f"/devices/added/{row.pk}/state").json()
    assert answer["state"] == "held"
    assert answer["url"] == ""
    assert answer["text"]


def test_stranger_never_reads_somebody_elses_progress(world: World, client: Client) -> None:
    client.force_login(world.owner)
    client.post("/devices/add/", {"alias": "", "code": ""})
    row = RegistrationToken.objects.get(created_by=world.owner)
    client.force_login(world.stranger)
    assert client.get(f"/devices/added/{row.pk}/").status_code == 404
    assert client.get(f"/devices/added/{row.pk}/state").status_code == 404


def test_good_code_is_taken_as_evidence(world: World, client: Client) -> None:
    (device,) = making.devices(1)
    client.force_login(world.owner)
    client.post("/devices/add/", {"alias": "", "code": f" {device.code.lower()} "})
    assert RegistrationToken.objects.get(created_by=world.owner).code_device == device.row


BAD_CODES = {"mistyped": "ABCD-EFGH-1", "far too long": "A" * 41, "not of this maker": "0000-0000-0000-0000"}


@pytest.mark.parametrize("code", BAD_CODES.values(), ids=BAD_CODES)
def test_bad_code_makes_no_token_and_says_what_to_do(world: World, client: Client, code: str) -> None:
    client.force_login(world.owner)
    answer = client.post("/devices/add/", {"alias": "x", "code": code})
    page = answer.content.decode()
    assert not RegistrationToken.objects.filter(created_by=world.owner).exists()
    assert '<a href="#id_code">' in page
    assert 'aria-invalid="true"' in page
    assert 'value="x"' in page


def test_viewer_can_neither_add_nor_revoke(world: World, client: Client) -> None:
    client.force_login(world.viewer)
    revoke = f"/devices/{world.live.device_id}/revoke/"
    for path, data in (("/devices/add/", {"alias": "", "code": ""}), (revoke, {"reason": "because"})):
        assert client.get(path).status_code == 403
        assert client.post(path, data).status_code == 403
    assert not Device.objects.get(pk=world.live.pk).blocked
    assert "Revoke this device" not in client.get(f"/devices/{world.live.device_id}/").content.decode()
    assert "Add a device" not in client.get("/devices/").content.decode()


def test_owner_revokes_with_a_reason(world: World, client: Client) -> None:
    client.force_login(world.owner)
    path = f"/devices/{world.live.device_id}/"
    page = client.post(f"{path}revoke/", {"reason": "lost in the river"}, follow=True).content.decode()
    assert Device.objects.get(pk=world.live.pk).blocked
    assert "Closing its connections" in page
    assert "lost in the river" in page
    last = CustodyEntry.objects.order_by("-number")[0]
    assert (last.kind, last.device_id) == ("blocked", world.live.pk)


def test_owner_allows_set_up_again(world: World, client: Client) -> None:
    making.authority()
    client.force_login(world.owner)
    path = f"/devices/{world.quiet.device_id}/"
    assert f"{path}release/" in client.get(path).content.decode()
    assert 'id="release"' not in client.get(f"{path}release/").content.decode()
    page = client.post(f"{path}release/").content.decode()
    found = re.search(r'id="release">([\w-]+)<', page)
    assert found
    data = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    at = now_us() // 1_000_000
    release.verify(data, making.authority().root, world.quiet.device_id, claimed_at=at - 5, at_least=at)
    assert CustodyEntry.objects.filter(device=world.quiet).order_by("-number")[0].kind == "setup_released"


def test_only_owners_and_admins_allow_set_up_again(world: World, client: Client) -> None:
    path = f"/devices/{world.live.device_id}/release/"
    client.force_login(world.viewer)
    assert client.post(path).status_code == 403
    client.force_login(world.stranger)
    assert client.post(path).status_code == 404
    client.force_login(world.owner)
    assert client.post(f"/devices/{world.revoked.device_id}/release/").status_code == 403


def test_staff_revokes_any_device(world: World, client: Client) -> None:
    client.force_login(world.staff)
    path = f"/staff/devices/{world.unsold.device_id}/"
    page = client.post(f"{path}revoke/", {"reason": "recall"}, follow=True).content.decode()
    assert Device.objects.get(pk=world.unsold.pk).blocked
    assert "This device is revoked" in page


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_revocation_without_a_fit_reason_changes_nothing(world: World, client: Client, reason: str) -> None:
    client.force_login(world.owner)
    answer = client.post(f"/devices/{world.live.device_id}/revoke/", {"reason": reason})
    assert answer.status_code == 200
    assert "Please check this" in answer.content.decode()
    assert not Device.objects.get(pk=world.live.pk).blocked


def test_stranger_can_not_revoke(world: World, client: Client) -> None:
    client.force_login(world.stranger)
    answer = client.post(f"/devices/{world.live.device_id}/revoke/", {"reason": "mine now"})
    assert answer.status_code == 404
    assert not Device.objects.get(pk=world.live.pk).blocked


def test_staff_verifies_the_ledger(world: World, client: Client) -> None:
    client.force_login(world.staff)
    assert (
        "every hash and every signature" in client.post("/staff/ledger/verify", follow=True).content.decode()
    )
    newest = CustodyEntry.objects.latest("number").number
    CustodyEntry.objects.filter(number=newest).update(body=b"changed")
    assert (
        f"ledger entry {newest} was changed"
        in client.post("/staff/ledger/verify", follow=True).content.decode()
    )
    assert "not readable" in client.get("/staff/ledger/").content.decode()


def test_customer_can_not_verify_the_ledger(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert client.post("/staff/ledger/verify").status_code == 404


def test_forged_form_is_refused_with_a_page(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.owner)
    answer = strict.post(f"/devices/{world.live.device_id}/revoke/", {"reason": "forged"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()
    assert not Device.objects.get(pk=world.live.pk).blocked


def test_reading_never_changes_anything(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert client.post("/devices/").status_code == 405
    assert client.get("/organisation/").status_code == 405
    assert isinstance(world.owner, User)


def test_owner_replaces_the_key_of_a_device(world: World, client: Client) -> None:
    client.force_login(world.owner)
    device = world.owner.memberships.get().organisation.devices.filter(blocked=False, life="owned").first()
    assert device is not None
    assert "Replace the key now" in client.get(f"/devices/{device.device_id}/").content.decode()
    page = client.post(f"/devices/{device.device_id}/rotate/", follow=True).content.decode()
    assert "gets a new key as soon as it shows itself" in page
    assert "Waits for the device since" in page
    rotation = device.rotations.get()
    assert (rotation.kind, rotation.stage) == ("fresh", "offered")
    assert rotation.asked_by.partition("@")[0] == f"user:{world.owner.pk}"


def test_page_says_when_a_key_changes_by_hand_alone(world: World, client: Client) -> None:
    client.force_login(world.owner)
    device = world.owner.memberships.get().organisation.devices.filter(blocked=False, life="owned").first()
    assert device is not None
    device.product.roots_by_hand = True
    device.product.save()
    page = client.post(f"/devices/{device.device_id}/rotate/", follow=True).content.decode()
    assert "change by hand alone" in page
    assert not device.rotations.exists()


def test_stranger_replaces_no_key(world: World, client: Client) -> None:
    device = world.owner.memberships.get().organisation.devices.filter(blocked=False).first()
    assert device is not None
    client.force_login(world.stranger)
    assert client.post(f"/devices/{device.device_id}/rotate/").status_code == 404
    assert client.post(f"/staff/devices/{device.device_id}/rotate/").status_code in {403, 404}
    assert not device.rotations.exists()


def test_owner_puts_a_device_behind_a_gateway_and_takes_it_away(world: World, client: Client) -> None:
    client.force_login(world.owner)
    gateway, child = world.quiet, world.live
    path = f"/devices/{gateway.device_id}/children/"
    assert child.serial in client.get(path).content.decode()
    assert client.post(path, {"add": child.device_id}).status_code == 302
    assert f"/devices/{child.device_id}/" in client.get(f"/devices/{gateway.device_id}/").content.decode()
    assert "may come through" in client.get(f"/devices/{child.device_id}/").content.decode()
    refused = client.post(path, {"add": gateway.device_id})
    assert (refused.status_code, "behind no other gateway" in refused.content.decode()) == (409, True)
    assert client.post(path, {"take": world.waiting.device_id}).status_code == 302
    assert client.post(path, {"take": child.device_id}).status_code == 302
    assert Device.objects.get(pk=child.pk).gateway is None


def test_children_are_their_owners_to_name(world: World, client: Client) -> None:
    path = f"/devices/{world.quiet.device_id}/children/"
    client.force_login(world.viewer)
    assert client.get(path).status_code == 403
    client.force_login(world.stranger)
    assert client.get(path).status_code == 404
    client.force_login(world.owner)
    assert client.post(path, {"add": world.held.device_id}).status_code == 404
