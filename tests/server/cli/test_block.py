"""``doorstep block``."""

import json

import pytest
from click.testing import CliRunner

from doorstep.cli.block import block
from doorstep.errors import MisuseError
from tests.server.making import devices


def run(*arguments: str) -> str:
    return CliRunner().invoke(block, arguments, catch_exceptions=False).stdout


@pytest.mark.usefixtures("rolled_back")
def test_operator_recalls_a_batch_and_takes_it_back() -> None:
    made = devices(3)
    number = made[0].row.batch.number
    line = json.loads(run("add", "batch", number, "--reason", "burns", "--json"))
    assert (line["devices"], line["shut_out"]) == (3, 3)
    assert made[0].row.standing == "blocked"
    assert f"block batch {number} (burns): 3 of 3 devices shut out" in run("list")
    lifted = run("lift", str(line["number"]), "--reason", "fixed")
    assert "0 of 3 devices shut out" in lifted
    assert "lifted by line" in lifted
    assert json.loads(run("list", "--json"))["lines"][0]["action"] == "lift"
    assert not made[0].row.blocked


@pytest.mark.usefixtures("rolled_back")
def test_operator_hears_that_a_line_does_not_exist() -> None:
    result = CliRunner().invoke(block, ["lift", "999999", "--reason", "x"])
    assert isinstance(result.exception, MisuseError)
    assert "doorstep block list" in result.exception.next_step
