"""What an owner does by REST as in the portal: sites, thresholds, charts, files, activity."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from doorstep.server.accounts.permissions import Permission
from tests.server.entering import program
from tests.server.portal.world import World, furnish


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with transaction.atomic():
        yield furnish()
        transaction.set_rollback(True)


@pytest.fixture
def owner(world: World, client_of: Callable[..., Client]) -> Client:
    return client_of(world.owner.memberships.get().organisation)


def _json(client: Client, method: str, path: str, body: object = None) -> Any:
    return client.generic(method, f"/api/v1{path}", json.dumps(body), "application/json")


def test_sites_are_made_filled_changed_and_removed(world: World, owner: Client) -> None:
    made = _json(owner, "POST", "/sites", {"name": " Barn  two ", "latitude": 47.0, "longitude": 15.0})
    assert (made.status_code, made.json()["name"]) == (201, "Barn two")
    number = made.json()["number"]
    place = {"alias": "New name", "site": number}
    assert _json(owner, "PUT", f"/devices/{world.live.device_id}/place", place).status_code == 200
    found = owner.get("/api/v1/devices", {"site": number}).json()["items"]
    assert [(one["device_id"], one["alias"]) for one in found] == [(world.live.device_id, "New name")]
    assert owner.get(f"/api/v1/sites/{number}").json()["devices"] == 1
    assert _json(owner, "PUT", f"/sites/{number}", {"name": "Hillside"}).status_code == 422
    assert _json(owner, "POST", "/sites", {"name": "  "}).status_code == 422
    assert owner.delete(f"/api/v1/sites/{number}").status_code == 204
    assert owner.get(f"/api/v1/sites/{number}").status_code == 404


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"kind": "above", "name": "temperature", "value": 30}, 201),
        ({"kind": "above", "name": "no such", "value": 30}, 422),
        ({"kind": "silent", "value": 60}, 201),
        ({"kind": "silent", "value": 1}, 422),
        ({"kind": "silent", "value": 2.5}, 422),
        ({"kind": "silent", "value": 50_000}, 422),
    ],
)
def test_threshold_watches_what_the_device_sends(
    world: World, owner: Client, wish: dict[str, Any], status: int
) -> None:
    path = f"/devices/{world.live.device_id}/thresholds"
    made = _json(owner, "POST", path, wish)
    assert made.status_code == status, made.content
    if status == 201:
        assert made.json() in owner.get(f"/api/v1{path}").json()["items"]
        assert owner.delete(f"/api/v1{path}/{made.json()['number']}").status_code == 204
        assert owner.delete(f"/api/v1{path}/{made.json()['number']}").status_code == 404


def test_alerts_are_listed_by_device_and_by_whether_they_are_open(world: World, owner: Client) -> None:
    one = {"device_id": world.live.device_id}
    told = {
        state: owner.get("/api/v1/alerts", one | {"is_open": state}).json() for state in ("true", "false")
    }
    assert [item["kind"] for item in told["true"]["items"]] == ["above"]
    assert [item["kind"] for item in told["false"]["items"]] == ["silent"]
    assert owner.get("/api/v1/alerts", {"device_id": world.quiet.device_id}).json()["items"] == []


def test_chart_and_file_hold_the_same_readings(world: World, owner: Client) -> None:
    path = f"/api/v1/devices/{world.live.device_id}"
    chart = owner.get(f"{path}/chart", {"span": "hour", "name": "temperature"}).json()
    [line] = chart["lines"]
    file = owner.get(f"{path}/readings/file", {"since": "2020-01-01", "until": "9999-12-31"})
    rows = b"".join(file).decode().splitlines()
    assert rows[0] == "time,received,device,name,unit,value,text"
    assert len(line["dots"]) == sum(",temperature," in row for row in rows)
    wrong = owner.get(f"{path}/readings/file", {"since": "2020-01-02", "until": "2020-01-01"})
    assert wrong.status_code == 422
    long = {"since": "2020-01-01", "until": "2021-06-01", "kind": "parquet"}
    assert owner.get(f"{path}/readings/file", long).status_code == 422


def test_activity_tells_only_the_kinds_that_a_key_may_read(world: World, owner: Client) -> None:
    organisation = world.owner.memberships.get().organisation
    reader = program(organisation, [Permission.CUSTOMER_COMMANDS_READ])
    assert {one["kind"] for one in reader.get("/api/v1/activity").json()["items"]} == {"command", "settings"}
    everything = owner.get("/api/v1/activity", {"limit": 3}).json()
    older = owner.get("/api/v1/activity", {"before_us": everything["next_before_us"]}).json()
    assert len(everything["items"]) == 3
    assert {"custody", "alert", "command"} <= {one["kind"] for one in older["items"] + everything["items"]}


def test_summary_counts_what_the_filters_find(owner: Client) -> None:
    summary = owner.get("/api/v1/summary").json()
    for condition in ("attention", "live", "quiet", "waiting", "revoked"):
        found = owner.get("/api/v1/devices", {"condition": condition}).json()["items"]
        assert len(found) == summary[condition], condition
    assert len(owner.get("/api/v1/devices", {"search": "greenhouse"}).json()["items"]) == 2


def test_staff_verifies_the_ledger(world: World, erp: Client) -> None:
    told = erp.get("/api/v1/ledger/verification").json()
    assert (told["holds"], told["problem"]) == (True, "")
    assert told["end"].startswith(f"{told['entries']}:")
