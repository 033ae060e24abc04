"""Who sees which device: a limited colleague, on every way that reads owned devices."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.models import DeviceGroup, GroupGrant, Member, Organisation, Role, User
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal, principal_of
from doorstep.server.fleet.models import Device, GroupedDevice
from doorstep.server.fleet.visible import device_visible_to, devices_visible_to
from tests.server import making

pytestmark = pytest.mark.usefixtures("rolled_back")


@pytest.fixture
def owned() -> tuple[Organisation, Device, Device]:
    """An organisation and two devices of it: one stands in its group, the other in none."""
    _, organisation = making.customer()
    inside, outside = (made.row for made in making.devices(2))
    for device in (inside, outside):
        Device.objects.filter(pk=device.pk).update(owner=organisation, life="owned", ownership_period=1)
        device.refresh_from_db()
    group = DeviceGroup.objects.create(organisation=organisation, name="Greenhouse")
    GroupedDevice.objects.create(group=group, device=inside, ownership_period=1)
    return organisation, inside, outside


def _colleague(organisation: Organisation, role: Role = Role.OPERATOR) -> User:
    user, _ = making.customer()
    Member.objects.filter(user=user).delete()
    member = Member.objects.create(user=user, organisation=organisation, role=role, limited=True)
    GroupGrant.objects.create(member=member, group=organisation.device_groups.get())
    return user


def _principal(user: User) -> Principal:
    found = principal_of(user)
    assert found is not None
    return found


def test_limited_colleague_sees_one_group(owned: tuple[Organisation, Device, Device]) -> None:
    organisation, inside, outside = owned
    somebody = _principal(_colleague(organisation))
    assert list(devices_visible_to(somebody)) == [inside]
    assert device_visible_to(somebody, inside.device_id) == inside
    with pytest.raises(Device.DoesNotExist):
        device_visible_to(somebody, outside.device_id)
    assert set(devices_visible_to(replace(somebody, groups=None))) == {inside, outside}


def test_limited_colleague_without_a_grant_sees_nothing(owned: tuple[Organisation, Device, Device]) -> None:
    user = _colleague(owned[0])
    GroupGrant.objects.all().delete()
    assert not devices_visible_to(_principal(user)).exists()


def test_limited_colleague_adds_no_device_and_sees_no_people(
    owned: tuple[Organisation, Device, Device],
) -> None:
    somebody = _principal(_colleague(owned[0]))
    assert somebody.may_command
    assert not somebody.may_add
    assert not somebody.may_see_people


def test_device_that_comes_back_stands_in_no_old_group(owned: tuple[Organisation, Device, Device]) -> None:
    organisation, inside, _ = owned
    somebody = _principal(_colleague(organisation))
    Device.objects.filter(pk=inside.pk).update(ownership_period=3)
    assert not devices_visible_to(somebody).exists()


def test_group_of_another_organisation_shows_nothing(owned: tuple[Organisation, Device, Device]) -> None:
    organisation, inside, _ = owned
    somebody = _principal(_colleague(organisation))
    _, other = making.customer()
    Device.objects.filter(pk=inside.pk).update(owner=other)
    moved = replace(somebody, organisation=other)
    assert not devices_visible_to(moved).exists()


def test_database_refuses_a_limited_admin(owned: tuple[Organisation, Device, Device]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        _colleague(owned[0], Role.ADMIN)


def test_limited_colleague_meets_only_the_group_on_pages_and_routes(
    owned: tuple[Organisation, Device, Device],
) -> None:
    organisation, inside, outside = owned
    client = Client()
    client.force_login(_colleague(organisation))
    page = client.get("/devices/").content.decode()
    assert inside.serial in page
    assert outside.serial not in page
    for path in ("/devices/{}/", "/devices/{}/live", "/api/v1/devices/{}", "/api/v1/devices/{}/readings"):
        assert client.get(path.format(inside.device_id)).status_code == 200, path
        assert client.get(path.format(outside.device_id)).status_code == 404, path
    listed = client.get("/api/v1/devices").json()["items"]
    assert [one["device_id"] for one in listed] == [inside.device_id]


def test_gateway_and_its_child_in_another_group_stay_unknown(
    owned: tuple[Organisation, Device, Device],
) -> None:
    organisation, inside, outside = owned
    client = Client()
    client.force_login(_colleague(organisation))
    Device.objects.filter(pk=outside.pk).update(gateway=inside)
    assert outside.serial not in client.get(f"/devices/{inside.device_id}/").content.decode()
    assert client.get(f"/api/v1/devices/{inside.device_id}/children").json()["items"] == []
    Device.objects.filter(pk=outside.pk).update(gateway=None)
    Device.objects.filter(pk=inside.pk).update(gateway=outside)
    assert outside.serial not in client.get(f"/devices/{inside.device_id}/").content.decode()


def test_key_of_a_group_sees_it_alone_and_dies_with_it(owned: tuple[Organisation, Device, Device]) -> None:
    organisation, inside, outside = owned
    key, row = make_api_key(organisation, "dashboard", [Permission.CUSTOMER_DEVICES_READ])
    group = organisation.device_groups.get()
    row.group = group
    row.save()
    bearer = {"Authorization": f"Bearer {key}"}
    client = Client()
    assert client.get(f"/api/v1/devices/{inside.device_id}", headers=bearer).status_code == 200
    assert client.get(f"/api/v1/devices/{outside.device_id}", headers=bearer).status_code == 404
    group.delete()
    assert client.get("/api/v1/devices", headers=bearer).status_code == 401
