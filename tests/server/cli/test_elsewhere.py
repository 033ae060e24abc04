"""Commands that ask a platform elsewhere, here the real application behind the real client."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from doorstep.cli.command import command
from doorstep.cli.sale import sale
from doorstep.client import Client, ProblemAnswer
from doorstep.errors import MisuseError, RefusedError
from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.accounts.permissions import scopes_of
from doorstep.server.fleet.models import Device
from tests.server.making import MadeDevice, customer, devices, maker

Run = Callable[..., Any]


@pytest.fixture
def run(rolled_back: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Run a command with the key of an organisation."""
    app = get_wsgi_application()

    def opened(_url: str, key_file: Path) -> Client:
        transport = httpx.WSGITransport(app=app)
        return Client("http://localhost", key_file.read_text(), transport=transport)

    def run(group: click.Group, organisation: Organisation, *arguments: str) -> Any:
        key, _ = make_api_key(organisation, "test", scopes_of(OrganisationKind(organisation.kind)))
        (tmp_path / "key").write_text(key)
        place = ["--server", "http://localhost", "--api-key-file", str(tmp_path / "key")]
        done = CliRunner().invoke(group, [*arguments, *place, "--json"])
        if done.exception is not None:
            raise done.exception
        return json.loads(done.stdout)

    monkeypatch.setattr(Client, "with_key_file", opened)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield run
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def owned(rolled_back: None) -> tuple[MadeDevice, Organisation]:
    [made], (_, organisation) = devices(), customer()
    Device.objects.filter(device_id=made.device_id).update(
        life="owned", owner=organisation, ownership_period=1
    )
    return made, organisation


def test_owner_commands_a_device_from_elsewhere(run: Run, owned: tuple[MadeDevice, Organisation]) -> None:
    device, organisation = owned
    sent = run(command, organisation, "send", device.serial, "relay", "on=true")
    assert (sent["state"], sent["device"], sent["channel"]) == ("queued", device.device_id, "cmd")
    listed = run(command, organisation, "list", device.device_id)["commands"]
    assert listed == [sent]
    assert run(command, organisation, "cancel", device.serial, sent["command_id"])["state"] == "cancelled"
    run(command, organisation, "settings", device.serial, "interval=30")
    shown = run(command, organisation, "settings", device.serial)
    assert (shown["version"], shown["settings"]) == (1, {"interval": 30})


def test_device_of_somebody_else_is_not_there(run: Run, owned: tuple[MadeDevice, Organisation]) -> None:
    with pytest.raises(RefusedError, match="there is no device"):
        run(command, customer()[1], "list", owned[0].serial)


def test_sale_is_recorded_elsewhere_and_its_bad_rows_are_named(run: Run) -> None:
    [device] = devices()
    done = run(sale, maker()[1], "add", "E-1", device.serial, "--buyer", "a@example.org")
    assert done == {"order": "E-1", "sold": [device.serial], "unchanged": []}
    with pytest.raises(ProblemAnswer) as refused:
        run(sale, maker()[1], "add", "E-2", "SN-nobody", "--buyer", "a@example.org")
    assert refused.value.rows[0]["reason"] == "unknown_serial"


def test_address_without_a_key_is_refused() -> None:
    done = CliRunner().invoke(sale, ["add", "E-1", "S", "--buyer", "a@b.c", "--server", "http://localhost"])
    assert isinstance(done.exception, MisuseError)
