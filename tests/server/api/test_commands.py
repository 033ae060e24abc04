"""Commands and settings over REST: the owner sends, nobody else, and nothing is changed unseen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from doorstep.messaging.channels import Call, Settings
from doorstep.messaging.command import OPEN_AT_ONCE
from doorstep.server.accounts.models import Member, Organisation, Role, User
from doorstep.server.channels.models import DeviceEvent, Downlink, ReportedState
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Device
from tests.server.making import MadeDevice, authority, customer, devices, statement_of

ClientOf = Callable[..., Client]


@pytest.fixture
def owned(rolled_back: None) -> tuple[MadeDevice, User, Organisation]:
    [device] = devices()
    user, organisation = customer()
    actions.record_sale("O", [device.serial], user.email, actor="operator", source="api", now_us=now_us())
    token, _ = actions.make_registration_token(organisation, user, "Cellar", now_us=now_us())
    said, _ = statement_of(device, token)
    actions.register_device(said, authority=authority(), now_us=now_us())
    return device, user, organisation


Owned = tuple[MadeDevice, User, Organisation]


@pytest.fixture
def owner(owned: Owned, client_of: ClientOf) -> Client:
    return client_of(owned[2])


def send(client: Client, device: MadeDevice, name: str = "identify", **more: object) -> Any:
    path = f"/api/v1/devices/{device.device_id}/commands"
    headers = {"Idempotency-Key": str(more.pop("key"))} if "key" in more else {}
    return client.post(path, {"name": name, **more}, content_type="application/json", headers=headers)


def want(client: Client, device: MadeDevice, version: int, **values: object) -> Any:
    path = f"/api/v1/devices/{device.device_id}/desired"
    return client.put(path, {"version": version, "settings": values}, content_type="application/json")


def body_of(row: Downlink) -> bytes:
    return settings.KEY_FILE.unwrap(bytes(row.body), f"downlink/{row.device.device_id}/{row.command_id}")


def test_owner_queues_a_command_and_reads_how_far_it_is(owned: Owned, owner: Client) -> None:
    answer = send(owner, owned[0], "relay", arguments={"on": True, "for": 30})
    assert answer.status_code == 201
    command = answer.json()
    assert (command["state"], command["name"], command["tries"]) == ("queued", "relay", 0)
    row = Downlink.objects.get(command_id=command["command_id"])
    assert Call.decode(body_of(row)) == Call("relay", {"on": True, "for": 30.0})
    path = f"/api/v1/devices/{owned[0].device_id}/commands"
    assert owner.get(f"{path}/{command['command_id']}").json() == command
    assert owner.get(path).json()["items"] == [command]


def test_body_is_not_readable_in_the_database(owned: Owned, owner: Client) -> None:
    send(owner, owned[0], "door", arguments={"pin": "very secret"})
    assert b"very secret" not in bytes(Downlink.objects.get(device=owned[0].row).body)


def test_list_goes_on_where_it_ended(owned: Owned, owner: Client) -> None:
    names = [f"c{number}" for number in range(5)]
    for name in names:
        send(owner, owned[0], name)
    path, found = f"/api/v1/devices/{owned[0].device_id}/commands?limit=2", []
    cursor: str | None = ""
    while cursor is not None:
        page = owner.get(f"{path}&cursor={cursor}").json()
        found += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert found == names[::-1]


def test_request_repeated_with_its_key_queues_one_command(owned: Owned, owner: Client) -> None:
    assert send(owner, owned[0], key="1").json() == send(owner, owned[0], key="1").json()
    assert Downlink.objects.filter(device=owned[0].row).count() == 1


def test_owner_cancels_what_waits_once(owned: Owned, owner: Client) -> None:
    command = send(owner, owned[0]).json()
    path = f"/api/v1/devices/{owned[0].device_id}/commands/{command['command_id']}/cancel"
    assert owner.post(path).json()["state"] == "cancelled"
    again = owner.post(path)
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "this command is cancelled: there is nothing to cancel",
    )


BAD = {
    "no name": {"name": ""},
    "capitals": {"name": "Relay"},
    "long name": {"name": "x" * 33},
    "nested": {"name": "x", "arguments": {"a": {"b": 1}}},
    "null": {"name": "x", "arguments": {"a": None}},
    "bad argument name": {"name": "x", "arguments": {"a b": 1}},
    "long text": {"name": "x", "arguments": {"a": "x" * 257}},
    "too many": {"name": "x", "arguments": {f"a{n}": 1 for n in range(65)}},
    "too late": {"name": "x", "expires_in_s": 31 * 86_400},
    "no time": {"name": "x", "expires_in_s": 0},
    "unknown field": {"name": "x", "qos": 1},
}


@pytest.mark.parametrize("asked", BAD.values(), ids=BAD)
def test_command_that_no_device_reads_is_refused(
    owned: Owned, owner: Client, asked: dict[str, object]
) -> None:
    answer = send(owner, owned[0], **asked)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert not Downlink.objects.filter(device=owned[0].row).exists()


def test_device_has_so_many_open_commands_and_no_more(owned: Owned, owner: Client) -> None:
    for _ in range(OPEN_AT_ONCE):
        assert send(owner, owned[0]).status_code == 201
    refused = send(owner, owned[0])
    assert (refused.status_code, "already wait" in refused.json()["detail"]) == (409, True)


def test_revoked_device_takes_no_commands(owned: Owned, owner: Client) -> None:
    revoke_device(owned[0].row, "operator", "lost", now_us=now_us())
    assert send(owner, owned[0]).status_code == 409


def test_device_of_nobody_takes_no_commands(owned: Owned, owner: Client) -> None:
    Device.objects.filter(device_id=owned[0].device_id).update(life="returned")
    assert send(owner, owned[0]).status_code == 409


def test_bind_09_stranger_and_maker_can_not_command(owned: Owned, client_of: ClientOf, erp: Client) -> None:
    """BIND-09: the device takes orders from its owner alone; for strangers it does not exist."""
    assert send(client_of(customer()[1]), owned[0]).status_code == 404
    assert send(erp, owned[0]).status_code == 403
    assert want(client_of(customer()[1]), owned[0], 0, a=1).status_code == 404
    assert not Downlink.objects.filter(device=owned[0].row).exists()


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 201), (Role.VIEWER, 403)])
def test_operators_send_and_viewers_do_not(owned: Owned, role: Role, status: int) -> None:
    device, user, _ = owned
    Member.objects.filter(user=user).update(role=role)
    client = Client()
    client.force_login(user)
    assert send(client, device).status_code == status
    assert client.get(f"/api/v1/devices/{device.device_id}/commands").status_code == 200


def test_key_without_the_scope_can_not_send(owned: Owned, client_of: ClientOf) -> None:
    reader = client_of(owned[2], "customer:devices:read", "customer:commands:read")
    assert send(reader, owned[0]).status_code == 403


def test_settings_go_down_whole_and_only_the_newest(owned: Owned, owner: Client) -> None:
    assert want(owner, owned[0], 0, interval=60, led=True).json()["version"] == 1
    answer = want(owner, owned[0], 1, interval=30).json()
    assert (answer["version"], answer["settings"], answer["waiting"]) == (2, {"interval": 30.0}, True)
    [old, new] = Downlink.objects.filter(device=owned[0].row).order_by("number")
    assert (old.state, new.state, new.expires_us) == ("cancelled", "queued", None)
    assert Settings.decode(body_of(new)) == Settings(2, {"interval": 30.0})


def test_change_made_to_an_old_version_is_a_conflict(owned: Owned, owner: Client) -> None:
    want(owner, owned[0], 0, interval=60)
    answer = want(owner, owned[0], 0, interval=5)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:doorstep:problem/version-conflict")
    assert "version 1" in answer.json()["detail"]
    assert Downlink.objects.filter(device=owned[0].row).count() == 1


@pytest.mark.parametrize("values", [{"config.version": 3}, {"a b": 1}, {"a": "x" * 257}])
def test_settings_that_no_device_reads_are_refused(
    owned: Owned, owner: Client, values: dict[str, object]
) -> None:
    assert want(owner, owned[0], 0, **values).status_code == 422
    assert owner.get(f"/api/v1/devices/{owned[0].device_id}/desired").json()["version"] == 0


def test_owner_sees_what_the_device_reported_and_told(owned: Owned, owner: Client) -> None:
    row = owned[0].row
    want(owner, owned[0], 0, interval=60)
    place = {"device": row, "epoch": 0, "seq": 4, "received_us": 1, "ownership_period": row.ownership_period}
    ReportedState.objects.create(**place, version=1, payload=b'{"config.version":1,"interval":60}')
    DeviceEvent.objects.create(**place, payload=b'{"door":"open"}')
    answer = owner.get(f"/api/v1/devices/{owned[0].device_id}/desired").json()
    assert (answer["applied_version"], answer["waiting"]) == (1, False)
    assert [(one["name"], one["value"]) for one in answer["reported"]] == [("interval", 60.0)]
    events = owner.get(f"/api/v1/devices/{owned[0].device_id}/events").json()["items"]
    assert events[0]["points"][0]["value"] == "open"


def test_next_owner_sees_nothing_of_the_last_one(owned: Owned, owner: Client, client_of: ClientOf) -> None:
    device, row = owned[0], owned[0].row
    send(owner, device)
    want(owner, device, 0, wifi="secret of the first owner")
    place = {"device": row, "epoch": 0, "seq": 4, "received_us": 1, "ownership_period": row.ownership_period}
    ReportedState.objects.create(**place, version=1, payload=b'{"a":1}')
    DeviceEvent.objects.create(**place, payload=b'{"a":1}')
    heir = customer()[1]
    Device.objects.filter(pk=row.pk).update(owner=heir, ownership_period=row.ownership_period + 1)
    client, path = client_of(heir), f"/api/v1/devices/{device.device_id}"
    assert client.get(f"{path}/commands").json()["items"] == []
    assert client.get(f"{path}/events").json()["items"] == []
    shown = client.get(f"{path}/desired").json()
    assert (shown["version"], shown["settings"], shown["reported"]) == (1, {}, [])
    assert want(client, device, 1, a=1).json()["version"] == 2
