"""People decide about devices that look wrong: over REST, in the shell and on the page."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client

from doorstep.cli.keys import keys
from doorstep.errors import IllegalTransition, MisuseError
from doorstep.identity.statement import Purpose
from doorstep.ownership.standing import Standing
from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.models import Organisation, OrganisationKind, User
from doorstep.server.accounts.permissions import scopes_of
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.registration import DeviceBlocked
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.standings import clear_device, quarantine_device
from tests.server.making import MadeDevice, authority, customer, devices, maker, statement_of

pytestmark = pytest.mark.usefixtures("rolled_back")
Owned = tuple[MadeDevice, User, Organisation]


@pytest.fixture
def owned() -> Owned:
    [made] = devices(policy="device_key")
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    actions.register_device(statement_of(made, token)[0], authority=authority(), now_us=now_us())
    return made, user, organisation


def rest(organisation: Organisation) -> Client:
    granted = scopes_of(OrganisationKind(organisation.kind))
    return Client(headers={"Authorization": f"Bearer {make_api_key(organisation, 'test', granted)[0]}"})


def post(client: Client, made: MadeDevice, verb: str) -> Any:
    path = f"/api/v1/devices/{made.device_id}/{verb}"
    return client.post(path, {"reason": "readings look odd"}, content_type="application/json")


def test_device_in_quarantine_is_shut_out_and_comes_back_with_its_keys(owned: Owned) -> None:
    made = owned[0]
    generation = made.row.generation
    quarantine_device(made.row, "operator", "odd", now_us=now_us())
    row = made.row
    assert (row.standing, row.blocked, row.generation) == (Standing.QUARANTINED, True, generation + 1)
    assert row.revocations.get().quarantine
    assert row.credentials.get().state == "active"
    renewal, _ = statement_of(made, None, purpose=Purpose.RENEW)
    with pytest.raises(DeviceBlocked, match="is in quarantine"):
        actions.renew_credential(renewal, authority=authority(), now_us=now_us())
    clear_device(row, "operator", "looked", now_us=now_us())
    assert (made.row.standing, made.row.blocked, made.row.generation) == ("ok", False, generation + 2)
    assert actions.renew_credential(renewal, authority=authority(), now_us=now_us()).certificate is not None


def test_quarantined_device_can_be_revoked_for_good(owned: Owned) -> None:
    made = owned[0]
    quarantine_device(made.row, "operator", "odd", now_us=now_us())
    revoke_device(made.row, "operator", "a thief has it", now_us=now_us())
    assert made.row.standing == Standing.BLOCKED
    with pytest.raises(IllegalTransition):
        clear_device(made.row, "operator", "no", now_us=now_us())


def test_staff_decides_over_rest_and_the_owner_reads_it(owned: Owned) -> None:
    made, _, organisation = owned
    erp, theirs = rest(maker()[1]), rest(organisation)
    assert post(theirs, made, "quarantine").status_code == 403
    assert post(erp, made, "quarantine").json()["standing"] == "quarantined"
    assert post(erp, made, "quarantine").status_code in {409, 422}
    told = theirs.get(f"/api/v1/devices/{made.device_id}/standing").json()
    assert [(one["after"], one["sentence"]) for one in told["changes"]] == [
        ("quarantined", "readings look odd")
    ]
    assert post(erp, made, "clear").json()["standing"] == "ok"
    assert theirs.get(f"/api/v1/devices/{made.device_id}").json()["standing"] == "ok"


def test_operator_decides_in_the_shell(owned: Owned) -> None:
    made = owned[0]
    runner = CliRunner()
    done = runner.invoke(keys, ["quarantine", made.serial, "--reason", "odd"], catch_exceptions=False)
    assert done.stdout.startswith(f"Device {made.device_id}: quarantined.\n  quarantined: odd")
    done = runner.invoke(keys, ["clear", made.serial, "--reason", "fine", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["standing"] == "ok"
    assert "ok: fine" in runner.invoke(keys, ["standing", made.device_id], catch_exceptions=False).stdout
    assert isinstance(runner.invoke(keys, ["clear", made.serial, "--reason", " "]).exception, MisuseError)


def test_staff_decides_on_the_page_and_the_owner_reads_it(owned: Owned) -> None:
    made, user, _ = owned
    client = Client()
    client.force_login(maker()[0])
    path = f"/staff/devices/{made.device_id}/"
    assert "Put into quarantine" in client.get(f"{path}quarantine/").content.decode()
    page = client.post(f"{path}quarantine/", {"reason": "odd readings"}, follow=True).content.decode()
    assert "This device is in quarantine" in page
    assert "Find it in order" in page
    again = client.post(f"{path}quarantine/", {"reason": "again"}, follow=True).content.decode()
    assert "Possible now" in again
    owner = Client()
    owner.force_login(user)
    theirs = owner.get(f"/devices/{made.device_id}/").content.decode()
    assert "odd readings" in theirs
    assert "Nothing of it is accepted until" in theirs
    client.post(f"{path}clear/", {"reason": "fine"}, follow=True)
    assert "quarantine</h2>" not in owner.get(f"/devices/{made.device_id}/").content.decode()
    assert owner.post(f"{path}clear/", {"reason": "mine"}).status_code in {403, 404}
