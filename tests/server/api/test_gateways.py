"""Devices behind gateways, by action, REST and page: only their owner says it, for their own alone."""

from collections.abc import Callable

import pytest
from django.test import Client

from doorstep.server.accounts.models import Organisation
from doorstep.server.fleet import gateways
from doorstep.server.fleet.gateways import GatewayRefused, attach_child, children_of, detach_child
from doorstep.server.fleet.models import Device
from tests.server.making import customer, devices

pytestmark = pytest.mark.usefixtures("rolled_back")

Home = tuple[Organisation, Device, Device, Device]


@pytest.fixture
def home() -> Home:
    _, organisation = customer()
    rows = [_give(made.device_id, organisation) for made in devices(3)]
    return (organisation, rows[0], rows[1], rows[2])


def _give(device_id: str, organisation: Organisation) -> Device:
    row = Device.objects.get(device_id=device_id)
    row.owner, row.life = organisation, "owned"
    row.save()
    return row


def _ids(gateway: Device) -> set[str]:
    return {child.device_id for child in children_of(gateway)}


def test_owner_puts_devices_behind_a_gateway_and_takes_them_away(home: Home) -> None:
    _, gateway, first, second = home
    attach_child(gateway, first)
    attach_child(gateway, second)
    attach_child(gateway, second)
    assert _ids(gateway) == {first.device_id, second.device_id}
    detach_child(first)
    assert _ids(gateway) == {second.device_id}


def test_device_has_one_gateway(home: Home) -> None:
    _, first, second, child = home
    attach_child(first, child)
    attach_child(second, child)
    assert (_ids(first), _ids(second)) == (set(), {child.device_id})


def _sold(child: Device) -> None:
    _give(child.device_id, customer()[1])


def _blocked(child: Device) -> None:
    Device.objects.filter(pk=child.pk).update(blocked=True)


def _returned(child: Device) -> None:
    Device.objects.filter(pk=child.pk).update(life="returned")


@pytest.mark.parametrize("spoil", [_sold, _blocked, _returned])
def test_device_that_is_not_its_owners_and_well_is_refused(
    home: Home, spoil: Callable[[Device], None]
) -> None:
    _, gateway, child, _ = home
    spoil(child)
    with pytest.raises(GatewayRefused):
        attach_child(gateway, child)
    assert _ids(gateway) == set()


def test_child_that_changed_hands_stands_behind_its_old_gateway_no_more(home: Home) -> None:
    _, gateway, child, _ = home
    attach_child(gateway, child)
    _sold(child)
    assert _ids(gateway) == set()


def test_gateways_do_not_stand_behind_gateways(home: Home) -> None:
    _, gateway, child, third = home
    attach_child(gateway, child)
    for above, below in ((gateway, gateway), (child, third), (third, gateway)):
        with pytest.raises(GatewayRefused, match="behind no other gateway"):
            attach_child(Device.objects.get(pk=above.pk), below)


def test_gateway_takes_so_many(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _, gateway, first, second = home
    monkeypatch.setattr(gateways, "MAX_CHILDREN", 1)
    attach_child(gateway, first)
    attach_child(gateway, first)
    with pytest.raises(GatewayRefused, match="takes no more"):
        attach_child(gateway, second)


def test_rest_attaches_lists_and_detaches(home: Home, client_of: Callable[..., Client]) -> None:
    organisation, gateway, child, _ = home
    client = client_of(organisation)
    path = f"/api/v1/devices/{gateway.device_id}/children"
    answer = client.put(f"{path}/{child.device_id}")
    assert (answer.status_code, answer.json()) == (200, client.get(path).json())
    assert [item["device_id"] for item in answer.json()["items"]] == [child.device_id]
    assert client.put(f"{path}/{gateway.device_id}").status_code == 409
    assert client.delete(f"{path}/{child.device_id}").status_code == 204
    assert client.delete(f"{path}/{child.device_id}").status_code == 204
    assert client.get(path).json()["items"] == []


def test_rest_hides_others_devices(home: Home, client_of: Callable[..., Client], erp: Client) -> None:
    """ORG-01: no escape through a gateway's child."""
    organisation, gateway, child, third = home
    _sold(third)
    client = client_of(organisation)
    path = f"/api/v1/devices/{gateway.device_id}/children"
    assert client.put(f"{path}/{third.device_id}").status_code == 404
    assert client.delete(f"{path}/{third.device_id}").status_code == 404
    assert client.get(f"/api/v1/devices/{third.device_id}/children").status_code == 404
    assert erp.put(f"{path}/{child.device_id}").status_code == 403
    assert _ids(gateway) == set()
