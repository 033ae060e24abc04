"""``doorstep sale``: good rows are stored, bad ones are named and come back as a file to mend."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep.cli.sale import sale
from doorstep.errors import MisuseError, RefusedError, UnavailableError
from doorstep.server.custody import ledger
from doorstep.server.custody.actions import SaleRefused
from doorstep.server.custody.models import SaleLine
from tests.server.making import devices, wholesaler

pytestmark = pytest.mark.usefixtures("rolled_back")

_HEADER = "order,serial,buyer_email,wholesaler\n"


def _import(file: Path, *options: str) -> tuple[dict[str, Any], BaseException | None]:
    result = CliRunner().invoke(sale, ["import", str(file), "--json", *options])
    if result.exception is not None and not result.stdout:
        raise result.exception
    return json.loads(result.stdout), result.exception


def _order() -> str:
    return f"O-{os.urandom(4).hex()}"


def test_operator_imports_sales_of_customers_and_wholesalers(tmp_path: Path) -> None:
    first, second, third = devices(3)
    buyer, one, other = wholesaler(), _order(), _order()
    file = tmp_path / "sales.csv"
    file.write_text(
        f"{_HEADER}{one},{first.serial},a@example.org,\n\n{other},{second.serial},,{buyer.email}\n"
        f"{one}, {third.serial} ,A@example.org,\n",
        encoding="utf-8",
    )
    done, error = _import(file)
    assert (done, error) == ({"sold": 3, "unchanged": 0, "failed": []}, None)
    assert (first.row.life, second.row.life, third.row.life) == ("sold", "dispatched", "sold")
    assert SaleLine.objects.filter(sale__order=one).count() == 2
    assert _import(file)[0] == {"sold": 0, "unchanged": 3, "failed": []}


def test_bad_rows_are_named_and_come_back_as_a_file_to_mend(tmp_path: Path) -> None:
    good, late = devices(2)
    order = _order()
    file = tmp_path / "sales.csv"
    file.write_text(
        f"{_HEADER}{order},{good.serial},a@example.org,\n{order},SN-nobody,a@example.org,\n"
        f"{order},{late.serial}\n,{late.serial},a@example.org,\n{_order()},{late.serial},not an address,\n"
        f'{order},"bad serial",a@example.org,\n',
        encoding="utf-8",
    )
    done, error = _import(file)
    assert isinstance(error, RefusedError)
    assert done["sold"] == 1
    assert [(row["line"], row["reason"]) for row in done["failed"]] == [
        (3, "unknown_serial"),
        (4, "malformed_row"),
        (5, "malformed_row"),
        (6, "invalid"),
        (7, "malformed_serial"),
    ]
    failed = tmp_path / "sales.failed.csv"
    rows = list(csv.DictReader(io.StringIO(failed.read_text(encoding="utf-8"), newline="")))
    assert len(rows) == 5
    assert all(row["problem"] for row in rows)
    mended = failed.read_text(encoding="utf-8").splitlines()
    failed.write_text("\n".join([mended[0], mended[1].replace("SN-nobody", late.serial)]), encoding="utf-8")
    assert _import(failed)[0] == {"sold": 1, "unchanged": 0, "failed": []}


@pytest.mark.parametrize("bad", ["{order},SN-nobody,a@example.org,", "{order},x"])
def test_all_or_nothing_stores_nothing_when_one_row_is_bad(tmp_path: Path, bad: str) -> None:
    [device] = devices()
    order, entries = _order(), ledger.count()
    file = tmp_path / "sales.csv"
    file.write_text(
        f"{_HEADER}{order},{device.serial},a@example.org,\n{bad.format(order=order)}\n", encoding="utf-8"
    )
    done, error = _import(file, "--all-or-nothing")
    assert isinstance(error, RefusedError)
    assert (done["sold"], len(done["failed"]), device.row.life, ledger.count()) == (0, 1, "made", entries)


def test_spreadsheets_own_csv_is_read(tmp_path: Path) -> None:
    [device] = devices()
    file = tmp_path / "sales.csv"
    file.write_bytes(
        b"\xef\xbb\xbfSerial;Order;Buyer_Email\r\n" + f"{device.serial};{_order()};a@example.org\r\n".encode()
    )
    assert _import(file)[0]["sold"] == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "columns"),
        (b"serial,buyer_email\n", "columns"),
        (b"order,serial,colour\n", "columns"),
        (b"order,serial,serial\n", "columns"),
        (b"\xff\xfe", "UTF-8"),
        (b'order,serial,buyer_email\n"a,b,c\n', "line 2 is not CSV"),
    ],
    ids=["empty", "no-order", "unknown-column", "twice", "utf-16", "open-quote"],
)
def test_file_that_is_no_sale_list_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "sales.csv"
    file.write_bytes(content)
    with pytest.raises(MisuseError, match=says) as caught:
        _import(file)
    assert caught.value.next_step


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"none\.csv"):
        _import(tmp_path / "none.csv")


def test_failures_that_can_not_be_written_are_said(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(f"{_HEADER}x\n", encoding="utf-8")
    with pytest.raises(UnavailableError, match="can't be written"):
        _import(file, "--failures", str(tmp_path / "none" / "failed.csv"))


def test_operator_adds_one_sale() -> None:
    [device] = devices()
    arguments = ["add", _order(), device.serial, "--buyer", "a@example.org", "--json"]
    done = json.loads(CliRunner().invoke(sale, arguments, catch_exceptions=False).stdout)
    assert done["sold"] == [device.serial]
    words = CliRunner().invoke(sale, arguments[:-1], catch_exceptions=False).stdout
    assert "1 were sold so before" in words


def test_added_sale_names_bad_serials() -> None:
    result = CliRunner().invoke(sale, ["add", _order(), "SN-nobody", "--buyer", "a@example.org"])
    assert isinstance(result.exception, SaleRefused)
    assert "No device has the serial SN-nobody" in result.stderr


@pytest.mark.parametrize("options", [[], ["--buyer", "a@example.org", "--wholesaler", "b@example.org"]])
def test_added_sale_has_one_buyer(options: list[str]) -> None:
    result = CliRunner().invoke(sale, ["add", "O", "S", *options])
    assert isinstance(result.exception, MisuseError)
