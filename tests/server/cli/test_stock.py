"""``doorstep stock`` and corrections: the operator moves devices, also for wholesalers without an account."""

import json
import os
from typing import Any

import click
import pytest
from click.testing import CliRunner

from doorstep.cli.sale import sale
from doorstep.cli.stock import stock
from doorstep.errors import MisuseError, RefusedError
from tests.server.making import devices, wholesaler

pytestmark = pytest.mark.usefixtures("rolled_back")


def _run(command: click.Group, *arguments: str) -> tuple[Any, BaseException | None]:
    result = CliRunner().invoke(command, [*arguments, "--json"])
    return json.loads(result.stdout or "null"), result.exception


def test_operator_moves_devices_over_a_wholesaler() -> None:
    [device], first, order = devices(), wholesaler(), f"O-{os.urandom(4).hex()}"
    assert _run(stock, "take-in", device.serial)[0]["done"] == [device.serial]
    _run(sale, "add", order, device.serial, "--wholesaler", first.email, "--box", "B-1")
    [held] = _run(stock, "list", "--of", first.email)[0]["devices"]
    assert (held["serial"], held["box"], held["received"]) == (device.serial, "B-1", False)
    assert _run(stock, "receive", device.serial, "--of", first.email)[0]["done"] == [device.serial]
    sold = _run(sale, "add", order, device.serial, "--buyer", "a@example.org", "--seller", first.email)
    assert sold[0]["sold"] == [device.serial]
    back = _run(sale, "withdraw", order, device.serial, "--reason", "typo", "--seller", first.email)
    assert back[0]["done"] == [device.serial]
    assert device.row.life == "dispatched"
    gone = _run(stock, "return", device.serial, "--of", first.email, "--reason", "unsold")
    assert (gone[0]["done"], device.row.life) == ([device.serial], "returned")


def test_operator_reads_stock_and_what_could_not_be_moved() -> None:
    [device], first = devices(), wholesaler()
    _run(sale, "add", f"O-{os.urandom(4).hex()}", device.serial, "--wholesaler", first.email)
    listed = CliRunner().invoke(stock, ["list"], catch_exceptions=False).stdout
    assert f"{device.serial}  {first.name}" in listed
    done = CliRunner().invoke(stock, ["receive", device.serial, "SN-nobody", "--of", first.email])
    assert "1 received" in done.stdout
    assert "SN-nobody is not in your stock" in done.stderr
    assert isinstance(done.exception, RefusedError)
    assert isinstance(_run(stock, "list", "--of", "nobody@example.org")[1], MisuseError)
