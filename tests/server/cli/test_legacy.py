"""`doorstep legacy` and `doorstep product legacy`: the risk first, then keys that are shown once."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from doorstep.cli.legacy import legacy
from doorstep.cli.product import product
from doorstep.errors import MisuseError
from doorstep.messaging.legacy.formats import RISKS, Format, InsecureFormat
from tests.server import making
from tests.server.fleet.test_legacy import owned

pytestmark = pytest.mark.usefixtures("rolled_back")


def _run(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def _json(command: click.Command, *arguments: str) -> Any:
    result = _run(command, *arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def test_product_shows_the_risk_refuses_and_takes_it_when_accepted() -> None:
    key = making.product().key
    assert "takes sealed messages alone" in _run(product, "legacy", key).stdout
    refused = _run(product, "legacy", key, "--enable", "article").exception
    assert isinstance(refused, InsecureFormat)
    assert RISKS[Format.ARTICLE] in refused.message
    on = _json(product, "legacy", key, "--enable", "article", "--accept-risk", "article")
    assert on["insecure_formats"] == ["article"]
    for shown in (_run(product, "legacy", key).stdout, _run(product, "list").stdout):
        assert f"Insecure messages taken: article. {RISKS[Format.ARTICLE]}" in shown
    assert _json(product, "legacy", key, "--disable", "article")["insecure_formats"] == []


def test_board_is_added_listed_and_removed(tmp_path: Path) -> None:
    one, two = owned(2)
    added = _json(legacy, "add", one.device_id, "--format", "article", "--node-id", "7")
    assert added["publish"] == f"d/{one.device_id}/up/article"
    keys = {name: added[name] for name in ("static_iv", "iv_key", "data_key", "passphrase")}
    (tmp_path / "keys.json").write_text(json.dumps(keys | {"data_key": "x" * 16, "passphrase": "y" * 16}))
    shown = _run(
        legacy, "add", two.device_id, "--format", "article", "--node-id", "8",
        "--peer", one.device_id, "--keys", str(tmp_path / "keys.json"),
    )  # fmt: skip
    assert "x" * 16 in shown.stdout
    assert "Insecure messages taken: article" in shown.stderr
    rows = {row["device_id"]: row for row in _json(legacy, "list")}
    assert (rows[two.device_id]["peer"], rows[two.device_id]["insecure"]) == (one.device_id, True)
    assert _json(legacy, "remove", two.device_id) == {"removed": two.device_id}
    listed = _run(legacy, "list").stdout
    assert one.device_id in listed
    assert two.device_id not in listed


def test_unknown_device_and_unreadable_keys_are_refused(tmp_path: Path) -> None:
    (device,) = owned()
    unknown = _run(legacy, "add", "aaaaaaaa", "--format", "article", "--node-id", "7")
    assert isinstance(unknown.exception, MisuseError)
    path = tmp_path / "keys.json"
    path.write_text("[]")
    bad = _run(legacy, "add", device.device_id, "--format", "article", "--node-id", "7", "--keys", str(path))
    assert isinstance(bad.exception, click.UsageError)
