"""The operator's commands leave their entries, too; the maker's staff and the owner read them."""

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner

import doorstep.cli
from doorstep.cli.account import account
from doorstep.cli.block import block
from doorstep.cli.keys import keys
from doorstep.server.accounts.bootstrap import ensure_maker
from doorstep.server.accounts.models import User
from doorstep.server.audit.models import AuditRow
from doorstep.server.audit.queries import Search, deed, deeds_for
from doorstep.server.fleet.models import Device
from tests.server import making


@pytest.fixture(autouse=True)
def _empty(rolled_back: None) -> None:
    """Begin with an empty trail, whatever other tests left in it."""
    AuditRow.objects.all().delete()


@pytest.fixture
def home() -> tuple[User, Device]:
    """An owner and their device."""
    ensure_maker()
    user, organisation = making.customer()
    row = making.devices()[0].row
    Device.objects.filter(pk=row.pk).update(owner=organisation, life="owned", ownership_period=1)
    row.refresh_from_db()
    return user, row


def test_revocation_by_command_is_read_by_owner_and_staff(home: tuple[User, Device]) -> None:
    _, device = home
    done = CliRunner().invoke(keys, ["revoke", device.serial, "--reason", "stolen", "--json"])
    assert done.exit_code == 0, done.output
    [row] = AuditRow.objects.all()
    assert (row.actor, row.action, row.way, row.device_id) == (
        "operator",
        "revoke",
        "command",
        device.device_id,
    )
    assert device.owner is not None
    for reader in (device.owner, ensure_maker()):
        [found] = deeds_for(reader, Search(device_id=device.device_id))
        assert (f"device {device.device_id} blocked", False, True) in deed(found, reader).changes
    assert [one.pk for one in deeds_for(ensure_maker(), Search(staff_only=True))] == [row.pk]


def test_stranger_reads_nothing_of_what_the_operator_did(home: tuple[User, Device]) -> None:
    CliRunner().invoke(keys, ["revoke", home[1].serial, "--reason", "stolen", "--json"])
    assert not deeds_for(making.customer()[1], Search()).exists()


def test_key_made_by_command_stands_there_without_the_key(home: tuple[User, Device]) -> None:
    done = CliRunner().invoke(account, ["api-key", "--name", "ERP", "--scope", "maker:sales:read"])
    secret = done.stdout.splitlines()[1]
    [row] = AuditRow.objects.all()
    assert (row.action, row.owner) == ("api-key", ensure_maker().pk)
    assert ("maker:sales:read") in str(deed(row, ensure_maker()).changes)
    assert secret.partition(".")[2] not in str(bytes(row.details or b""))


def test_command_that_only_reads_or_is_refused_leaves_nothing(home: tuple[User, Device]) -> None:
    CliRunner().invoke(block, ["list"])
    CliRunner().invoke(keys, ["revoke", "no-such-device", "--reason", "x"])
    assert not AuditRow.objects.exists()


def test_no_command_of_the_operator_is_unwatched() -> None:
    folder = Path(doorstep.cli.__file__).parent
    unwatched = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module == "doorstep.server.setup"
        and any(alias.name == "migrate" for alias in node.names)
    }
    roles_and_benches = {"running.py", "bench/portal.py", "bench/registration.py", "bench/revocation.py"}
    assert unwatched == {"operating.py"} | roles_and_benches
