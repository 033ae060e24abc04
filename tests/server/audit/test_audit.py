"""The audit trail: each change leaves its entry in the same transaction, and staff who look leave one too."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection

from doorstep.cli.audit import audit as audit_command
from doorstep.ownership.audit import AuditBroken, Details
from doorstep.server.accounts.models import Member, Role, User
from doorstep.server.audit import trail
from doorstep.server.audit.models import AuditRow
from doorstep.server.clock import now_us
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.models import Device
from tests.server import making
from tests.server.entering import entered


@pytest.fixture(autouse=True)
def _empty(rolled_back: None) -> None:
    """Begin with an empty trail, whatever other tests left in it."""
    AuditRow.objects.all().delete()


@pytest.fixture
def home() -> tuple[User, Device]:
    """An owner and their device."""
    user, organisation = making.customer()
    row = making.devices()[0].row
    Device.objects.filter(pk=row.pk).update(owner=organisation, life="owned", ownership_period=1)
    row.refresh_from_db()
    return user, row


def _last() -> AuditRow:
    row = AuditRow.objects.order_by("-number").first()
    assert row is not None
    return row


def _details(row: AuditRow) -> Details:
    assert row.details is not None
    return Details.from_bytes(bytes(row.details))


def test_change_on_a_page_says_who_what_before_after_and_from_where(home: tuple[User, Device]) -> None:
    user, device = home
    entered(user, "192.0.2.7").post(f"/devices/{device.device_id}/revoke/", {"reason": "lost"})
    row = _last()
    organisation = device.owner_id
    assert (row.actor, row.acting) == (f"user:{user.pk}@{organisation}", organisation)
    assert (row.action, row.way, row.owner, row.device_id) == (
        "revoke",
        "portal",
        organisation,
        device.device_id,
    )
    said = _details(row)
    assert (said.before["blocked"], said.after["blocked"], said.address) == (False, True, "192.0.2.7")


def test_change_by_rest_leaves_an_entry_and_reading_does_not(home: tuple[User, Device]) -> None:
    user, device = home
    client = entered(user, "192.0.2.7")
    assert client.get(f"/api/v1/devices/{device.device_id}").status_code == 200
    assert not AuditRow.objects.exists()
    answer = client.post(f"/api/v1/devices/{device.device_id}/revoke", {"reason": "lost"}, "application/json")
    assert answer.status_code == 202
    assert (_last().action, _last().way) == ("revoke_device", "rest")


def test_what_is_refused_or_undone_leaves_no_entry(home: tuple[User, Device]) -> None:
    user, device = home
    client = entered(user, "192.0.2.7")
    client.post(f"/devices/{device.device_id}/revoke/", {"reason": ""})
    client.post("/groups/", {"name": "A"})
    before = AuditRow.objects.count()
    client.post("/groups/", {"name": "A"})
    client.post("/api/v1/devices/nothing/revoke", {"reason": "x"}, "application/json")
    assert AuditRow.objects.count() == before == 1


def test_staff_who_look_at_a_customers_device_leave_one_entry_that_the_customer_reads(
    home: tuple[User, Device],
) -> None:
    user, device = home
    staff, maker = making.maker()
    watching = entered(staff, "192.0.2.7")
    for _ in range(3):
        assert watching.get(f"/staff/devices/{device.device_id}/").status_code == 200
    assert AuditRow.objects.count() == 1
    assert watching.get(f"/api/v1/devices/{device.device_id}").status_code == 200
    assert AuditRow.objects.count() == 2
    row = _last()
    assert (row.way, row.owner, row.acting) == ("rest-read", device.owner_id, maker.pk)
    page = entered(user, "192.0.2.7").get("/audit/?staff=1").content.decode()
    assert page.count("Looked") == 2
    assert "somebody of another organisation" in page
    assert "192.0.2.7" not in page
    answer = entered(user, "192.0.2.7").get("/api/v1/audit?staff=true").json()
    assert [one["looked"] for one in answer["items"]] == [True, True]


def test_staff_who_look_at_their_own_stock_leave_nothing() -> None:
    staff, _ = making.maker()
    device = making.devices()[0]
    assert entered(staff, "192.0.2.7").get(f"/staff/devices/{device.device_id}/").status_code == 200
    assert not AuditRow.objects.exists()


def test_organisations_read_their_own_entries_and_staff_no_inner_affairs(home: tuple[User, Device]) -> None:
    user, device = home
    client = entered(user, "192.0.2.7")
    client.post("/groups/", {"name": "Greenhouse"})
    client.post(f"/devices/{device.device_id}/revoke/", {"reason": "lost"})
    other, _ = making.customer()
    staff, _ = making.maker()
    assert "Revoke" in client.get("/audit/").content.decode()
    assert "Nothing yet" in entered(other, "192.0.2.7").get("/audit/").content.decode()
    seen = entered(staff, "192.0.2.7").get("/audit/").content.decode()
    assert "Revoke" in seen
    assert "Groups" not in seen.partition("<main")[2].replace("groups</", "")
    assert "192.0.2.7" not in seen


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_only_managers_read_the_trail(home: tuple[User, Device], role: Role) -> None:
    user, _ = home
    Member.objects.filter(user=user).update(role=role)
    assert entered(user, "192.0.2.7").get("/audit/").status_code == 403
    assert entered(user, "192.0.2.7").get("/audit/export.csv").status_code == 403
    assert entered(user, "192.0.2.7").get("/api/v1/audit").status_code == 403


def test_search_narrows_by_device_action_actor_and_day(home: tuple[User, Device]) -> None:
    user, device = home
    client = entered(user, "192.0.2.7")
    client.post("/groups/", {"name": "Greenhouse"})
    client.post(f"/devices/{device.device_id}/revoke/", {"reason": "lost"})

    def found(query: str) -> list[str]:
        return [one["action"] for one in client.get(f"/api/v1/audit?{query}").json()["items"]]

    assert found("") == ["revoke", "groups"]
    assert found(f"device={device.device_id}") == ["revoke"]
    assert found("action=groups") == ["groups"]
    assert found(f"actor=user:{user.pk}") == ["revoke", "groups"]
    assert found("actor=user:0") == []
    assert found(f"since_us={now_us()}") == []
    assert found(f"until_us={now_us()}&limit=1") == ["revoke"]
    assert "Nothing was found" in client.get("/audit/?until=2001-01-01").content.decode()


def test_export_is_a_table_that_no_spreadsheet_runs(home: tuple[User, Device]) -> None:
    user, device = home
    client = entered(user, "192.0.2.7")
    client.post(
        f"/devices/{device.device_id}/command/", {"name": "identify", "lives_s": "3600", "values": ""}
    )
    client.post(f"/devices/{device.device_id}/revoke/", {"reason": "lost"})
    rows = list(csv.DictReader(io.StringIO(client.get("/audit/export.csv").content.decode())))
    assert rows[-1]["action"] == "revoke"
    assert "blocked=True" in rows[-1]["after"]


def test_trail_verifies_and_each_kind_of_forgery_is_noticed(
    home: tuple[User, Device], tmp_path: Path
) -> None:
    user, device = home
    client = entered(user, "192.0.2.7")
    client.post("/groups/", {"name": "A"})
    client.post(f"/devices/{device.device_id}/revoke/", {"reason": "lost"})
    head = trail.verify_all()
    assert head.number == 2
    for change in ({"actor": "user:9@9"}, {"details": b"\xa0"}, {"body": b"\xa0"}, {"signature": bytes(64)}):
        kept = AuditRow.objects.filter(number=2).values(*change).get()
        AuditRow.objects.filter(number=2).update(**change)
        with pytest.raises(AuditBroken):
            trail.verify_all()
        AuditRow.objects.filter(number=2).update(**kept)
    assert trail.verify_all() == head
    assert trail.erase_before(now_us()) == 2
    assert trail.verify_all(head) == head
    assert "erased" in client.get("/audit/").content.decode()
    AuditRow.objects.filter(number=2).delete()
    with pytest.raises(AuditBroken, match="anchored"):
        trail.verify_all(head)


def test_cut_ledger_is_noticed_by_the_trail(home: tuple[User, Device]) -> None:
    user, device = home
    entered(user, "192.0.2.7").post(f"/devices/{device.device_id}/revoke/", {"reason": "lost"})
    last = CustodyEntry.objects.order_by("-number")[0]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM custody_entry WHERE number = %s", [last.number])
    with pytest.raises(AuditBroken, match="ledger entry"):
        trail.verify_all()


def test_command_verifies_and_erases(home: tuple[User, Device]) -> None:
    user, _ = home
    entered(user, "192.0.2.7").post("/groups/", {"name": "A"})

    def run(*told: str) -> Any:
        result = CliRunner().invoke(audit_command, told, catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert "All 1 entries hold" in run("verify")
    assert '"entries": 1' in run("verify", "--json")
    assert "0 entries" in run("erase", "--older-than-days", "1")
    assert run("erase", "--older-than-days", "1", "--json").strip() == '{"erased": 0}'
