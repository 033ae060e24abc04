from collections.abc import Callable

from django.test import Client

from doorstep.server.accounts.models import Organisation
from doorstep.server.accounts.permissions import Permission
from doorstep.server.fleet.models import Device
from tests.server import making


def owned() -> tuple[Device, Organisation]:
    (made,) = making.devices()
    _, owner = making.customer()
    Device.objects.filter(pk=made.row.pk).update(life="owned", owner=owner, ownership_period=1)
    return made.row, owner


def test_owner_rotates_a_key_and_sees_how_far_it_is(client_of: Callable[..., Client]) -> None:
    device, owner = owned()
    client = client_of(owner)
    answer = client.post(
        f"/api/v1/devices/{device.device_id}/keys/rotate", {"key": "root"}, content_type="application/json"
    )
    assert answer.status_code == 202
    first = answer.json()
    assert (first["kind"], first["stage"], first["outcome"]) == ("fresh", "offered", "")
    again = client.post(
        f"/api/v1/devices/{device.device_id}/keys/rotate", {}, content_type="application/json"
    )
    assert again.json()["number"] == first["number"]
    renewal = client.post(
        f"/api/v1/devices/{device.device_id}/keys/rotate",
        {"key": "certificate"},
        content_type="application/json",
    )
    listed = client.get(f"/api/v1/devices/{device.device_id}/keys/rotations").json()["items"]
    assert listed == [renewal.json(), first]


def test_key_that_may_only_read_rotates_nothing(client_of: Callable[..., Client]) -> None:
    device, owner = owned()
    client = client_of(owner, Permission.CUSTOMER_DEVICES_READ)
    path = f"/api/v1/devices/{device.device_id}/keys/rotate"
    assert client.post(path, {}, content_type="application/json").status_code == 403
    _, stranger = making.customer()
    assert client_of(stranger).post(path, {}, content_type="application/json").status_code == 404


def test_api_says_why_a_key_cannot_change(client_of: Callable[..., Client]) -> None:
    device, owner = owned()
    device.product.roots_by_hand = True
    device.product.save()
    path = f"/api/v1/devices/{device.device_id}/keys/rotate"
    answer = client_of(owner).post(path, {}, content_type="application/json")
    assert answer.status_code == 409
    assert "by hand" in answer.json()["detail"]
    assert "--serial" in answer.json()["next_step"]
