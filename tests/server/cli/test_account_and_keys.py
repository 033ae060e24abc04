"""``doorstep account`` and ``doorstep keys``."""

import json
import threading

import pytest
from click.testing import CliRunner
from django.db import connections

from doorstep.cli import keys as keys_module
from doorstep.cli.account import account
from doorstep.cli.keys import keys
from doorstep.errors import MisuseError, RefusedError, UnavailableError
from doorstep.server.accounts.api_keys import find_caller
from doorstep.server.accounts.models import User
from doorstep.server.accounts.permissions import Permission
from doorstep.server.fleet.models import Revocation
from tests.server.making import customer, devices


@pytest.mark.usefixtures("rolled_back")
def test_operator_makes_keys_for_maker_and_customer() -> None:
    user, organisation = customer()
    made = CliRunner().invoke(
        account,
        ["api-key", "--name", "ERP", "--scope", "maker:sales:write", "--json"],
        catch_exceptions=False,
    )
    assert find_caller(json.loads(made.stdout)["key"]).may(Permission.MAKER_SALES_WRITE)
    theirs = CliRunner().invoke(
        account,
        ["api-key", "--name", "x", "--scope", "customer:devices:read", "--of", user.email.upper()],
        catch_exceptions=False,
    )
    assert find_caller(theirs.stdout.splitlines()[1]).organisation == organisation


@pytest.mark.usefixtures("rolled_back")
def test_operator_adds_staff_and_wholesaler() -> None:
    runner = CliRunner()
    made = json.loads(runner.invoke(account, ["staff", "a@example.org", "--json"]).stdout)
    assert User.objects.get(email="a@example.org").check_password(made["password"])
    arguments = ["wholesaler", "Grossist", "sales@example.org"]
    assert "Grossist" in runner.invoke(account, arguments, catch_exceptions=False).stdout
    assert isinstance(runner.invoke(account, arguments).exception, MisuseError)
    assert isinstance(runner.invoke(account, ["wholesaler", " ", "b@example.org"]).exception, MisuseError)


@pytest.mark.parametrize("email", ["nobody@example.org", ""])
@pytest.mark.usefixtures("rolled_back")
def test_key_of_nobody_is_refused(email: str) -> None:
    arguments = ["api-key", "--name", "x", "--scope", "customer:devices:read", "--of", email]
    assert isinstance(CliRunner().invoke(account, arguments).exception, MisuseError)


@pytest.mark.usefixtures("rolled_back")
def test_operator_revokes_by_serial() -> None:
    [device] = devices()
    done = json.loads(
        CliRunner().invoke(keys, ["revoke", device.serial, "--json"], catch_exceptions=False).stdout
    )
    assert (done["device_id"], done["kicked_ms"], device.row.blocked) == (device.device_id, None, True)
    assert isinstance(CliRunner().invoke(keys, ["revoke", "nobody"]).exception, RefusedError)


def test_operator_waits_for_the_measured_times() -> None:
    """The broker role's part is played here: it fills in the times of the open revocation."""
    [device] = devices()

    def carry_out() -> None:
        while not (row := Revocation.objects.filter(device=device.row).first()):
            pass
        row.kicked_us, row.purged_us = row.asked_us + 1500, row.asked_us + 2500
        row.sessions_kicked, row.messages_purged = 1, 4
        row.save()
        connections.close_all()

    broker = threading.Thread(target=carry_out)
    broker.start()
    result = CliRunner().invoke(keys, ["revoke", device.device_id, "--wait"], catch_exceptions=False)
    broker.join()
    assert "Sessions closed after 1.5 ms: 1." in result.stdout
    assert "Messages purged after 2.5 ms: 4." in result.stdout


def test_revocation_holds_although_nobody_closes_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "_WAIT_S", 0.05)
    [device] = devices()
    result = CliRunner().invoke(keys, ["revoke", device.device_id, "--wait"])
    assert isinstance(result.exception, UnavailableError)
    assert "doorstep status" in result.exception.next_step
    assert device.row.blocked
