"""``doorstep ledger``: checked by us, and by a program that knows nothing of us."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.db import transaction

from doorstep.cli.ledger import ledger as command
from doorstep.errors import MalformedMessage, UnavailableError
from doorstep.ownership.actors import user_for
from doorstep.ownership.chain import LedgerBroken
from doorstep.server.clock import now_us
from doorstep.server.custody import ledger
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.actions import revoke_device
from tests.server.making import devices, maker

_STRANGER = Path(__file__).parents[3] / "vectors" / "verify_ledger.py"


def _run(*arguments: str) -> dict[str, str]:
    result = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    document: dict[str, str] = json.loads(result.stdout)
    return document


def _stranger(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the foreign verifier, alone, in isolated mode."""
    program = _STRANGER.read_text(encoding="utf-8")
    assert not re.search(r"import.*doorstep", program)
    assert program.count("\n") <= 40
    command_line = [sys.executable, "-I", str(_STRANGER), *arguments]
    return subprocess.run(command_line, capture_output=True, text=True, check=False)


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Path, str]:
    [device, *_] = devices(3)
    staff, organisation = maker()
    revoke_device(device.row, user_for(staff.pk, organisation.pk), "lost", now_us=now_us())
    file = tmp_path / "ledger.jsonl"
    return file, _run("export", str(file))["public_key"]


def test_operator_verifies_the_ledger_and_keeps_an_anchor() -> None:
    devices(2)
    first = _run("verify")
    devices(1)
    second = _run("verify", "--anchor", first["anchor"])
    assert int(second["entries"]) == int(first["entries"]) + 1
    words = CliRunner().invoke(command, ["verify"], catch_exceptions=False).stdout
    assert second["anchor"] in words
    assert "each signed" in words


def test_stranger_verifies_the_export(exported: tuple[Path, str]) -> None:
    file, public_key = exported
    anchor = str(ledger.head())
    checked = _stranger(str(file), public_key, anchor)
    assert (checked.returncode, checked.stdout) == (0, f"{ledger.head().number} entries hold\n")


def test_stranger_notices_tampering(exported: tuple[Path, str]) -> None:
    file, public_key = exported
    lines = file.read_text(encoding="utf-8").splitlines()
    edited = json.loads(lines[-1])
    body = base64.b64decode(edited["body"])
    edited["body"] = base64.b64encode(body.replace(b"lost", b"sold")).decode()
    tampered = {
        "not signed": [*lines[:-1], json.dumps(edited)],
        "not in its place": [lines[0], *lines[2:]],
        "anchored entry is gone": lines[:-1],
    }
    for says, forged in tampered.items():
        file.write_text("\n".join(forged) + "\n", encoding="utf-8")
        checked = _stranger(str(file), public_key, str(ledger.head()))
        assert checked.returncode == 1
        assert says in checked.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "scrapped"}, "columns of ledger entry"),
        ({"at_us": 1}, "columns of ledger entry"),
        ({"digest": bytes(32)}, "was changed"),
        ({"signature": bytes(64)}, "is not signed"),
        ({"body": b"\xa0"}, "was changed"),
    ],
)
def test_edited_row_is_noticed(change: dict[str, object], says: str) -> None:
    devices(2)
    last = ledger.head().number
    with transaction.atomic():
        CustodyEntry.objects.filter(number=last).update(**change)
        with pytest.raises(LedgerBroken, match=says):
            _run("verify")
        transaction.set_rollback(True)


def test_deleted_row_is_noticed() -> None:
    devices(3)
    anchor = ledger.head()
    with transaction.atomic():
        CustodyEntry.objects.filter(number=anchor.number - 1).delete()
        with pytest.raises(LedgerBroken, match="is missing"):
            _run("verify")
        CustodyEntry.objects.filter(number=anchor.number).delete()
        _run("verify")
        with pytest.raises(LedgerBroken, match="anchored"):
            _run("verify", "--anchor", str(anchor))
        transaction.set_rollback(True)


def test_swapped_rows_are_noticed() -> None:
    devices(2)
    last = ledger.head().number
    with transaction.atomic():
        for before, after in ((last, 0), (last - 1, last), (0, last - 1)):
            CustodyEntry.objects.filter(number=before).update(number=after)
        with pytest.raises(LedgerBroken, match="was moved"):
            _run("verify")
        transaction.set_rollback(True)


def test_malformed_anchor_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="anchor"):
        _run("verify", "--anchor", "yesterday")


def test_export_that_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="can't be written"):
        _run("export", str(tmp_path / "missing" / "ledger.jsonl"))
    assert not [*tmp_path.iterdir()]


def test_append_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        ledger.append([], 0)
