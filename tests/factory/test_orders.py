import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.factory import orders
from doorstep.factory.batch import DeviceOrder
from doorstep.identity.assurance import IdentityMethod
from doorstep.onboarding.methods import DEFAULTS
from tests.identity.manifests import ChipMaker, manifest_of


def test_batch_is_named_by_its_day() -> None:
    day = dt.datetime(2026, 11, 21, 23, tzinfo=dt.UTC)
    assert orders.new_batch_id(day, bytes) == "20261121-aaaa"


def test_numbered_serials_follow_each_other() -> None:
    assert [order.serial for order in orders.numbered("A-", 3).devices] == ["A-00001", "A-00002", "A-00003"]


@pytest.mark.parametrize("count", [0, -1, orders.MAX_DEVICES + 1])
def test_operator_hears_of_odd_count(count: int) -> None:
    with pytest.raises(MisuseError, match="1 to 100000"):
        orders.numbered("A-", count)


@pytest.mark.parametrize("prefix", ["a b", "x" * 36, "ä"])
def test_operator_hears_of_malformed_prefix(prefix: str) -> None:
    with pytest.raises(MalformedMessage, match="not a serial"):
        orders.numbered(prefix, 1)


def test_file_names_macs_and_serials() -> None:
    rows = orders.read_rows(b"\xef\xbb\xbf MAC ,Serial\r\na0:b1:c2:d3:e4:f5,X-1\r\nA0B1C2D3E4F6,\r\n", "P-")
    assert rows.devices == (DeviceOrder("X-1", "A0B1C2D3E4F5"), DeviceOrder("P-00002", "A0B1C2D3E4F6"))
    assert not rows.refused


def test_file_may_name_serials_only() -> None:
    assert orders.read_rows(b"serial\nX-1\nX-2\n", "P-").devices == (DeviceOrder("X-1"), DeviceOrder("X-2"))


def test_bad_rows_are_named_and_good_rows_kept() -> None:
    content = b"""mac,serial
a0:b1:c2:d3:e4:f5,X-1
zz,X-2
00:00:00:00:00:00,X-3
a0-b1-c2-d3-e4-f5,X-4
a0:b1:c2:d3:e4:f6,X-1
a0:b1:c2:d3:e4:f7,a b
,X-5
a0:b1:c2:d3:e4:f8,X-6,more
a0:b1:c2:d3:e4:f9,X-7
"""
    rows = orders.read_rows(content, "P-")
    assert [order.serial for order in rows.devices] == ["X-1", "X-7"]
    expected = {
        3: "12, 16 or 18 hex",
        4: "all zeros",
        5: "hardware id A0B1C2D3E4F5 stands on line 2",
        6: "serial X-1 stands on line 2",
        7: "not a serial",
        8: "12, 16 or 18 hex",
        9: "more columns",
    }
    assert [row.number for row in rows.refused] == [*expected]
    for row in rows.refused:
        assert expected[row.number] in row.reason


def test_invented_address_is_made_and_pointed_out() -> None:
    rows = orders.read_rows(b"mac\n02:00:00:00:00:01\n", "P-")
    assert len(rows.devices) == 1
    assert rows.suspicious[0].number == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "first line must name"),
        (b"address\nx\n", "first line must name"),
        (b"mac,serial,colour\n", "first line must name"),
        (b"mac\n", "0 good rows"),
        (b"mac\nzz\n", "line 2: 'zz'"),
        (b'mac\n"a0:b1\n', "ends the table"),
        (b"\xff\xfem\x00a\x00c\x00", "UTF-8"),
        (b"mac\n" + b" " * (16 * 1024 * 1024), "16 MiB"),
    ],
)
def test_operator_hears_of_a_file_that_is_no_table(content: bytes, reason: str) -> None:
    with pytest.raises(MisuseError, match=reason):
        orders.read_rows(content, "P-")


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    with suppress(MisuseError):
        assert orders.read_rows(b"mac,serial\n" + content, "P-").devices


MAKER = ChipMaker()
CHIPS = [MAKER.chip(number) for number in (1, 2)]
ELEMENTS = manifest_of([MAKER.entry(CHIPS[0]), {}, MAKER.entry(CHIPS[1])])


def test_manifest_names_elements_and_serials_follow_its_entries() -> None:
    asked = orders.read_elements(ELEMENTS, MAKER.bundle, "P-")
    keys = [chip.key.public_key.spki for chip in CHIPS]
    assert asked.devices == (
        DeviceOrder("P-00001", "0123000000000001EE", keys[0]),
        DeviceOrder("P-00003", "0123000000000002EE", keys[1]),
    )
    assert [(asked.unit, row.number) for row in asked.refused] == [("entry", 2)]


def test_known_element_is_refused_by_its_entry() -> None:
    left = orders.read_elements(ELEMENTS, MAKER.bundle, "P-").without({"0123000000000001EE"})
    assert [order.serial for order in left.devices] == ["P-00003"]
    assert [row.number for row in left.refused] == [1, 2]
    assert "0123000000000001EE already" in left.refused[0].reason


def test_known_address_is_refused_by_its_line_and_no_more_pointed_out() -> None:
    rows = orders.read_rows(b"mac\n02:00:00:00:00:01\n02:00:00:00:00:02\n", "P-")
    left = rows.without({"020000000001"})
    assert [row.number for row in left.refused] == [2]
    assert [row.number for row in left.suspicious] == [3]


def test_operator_hears_that_nothing_of_a_manifest_is_left() -> None:
    asked = orders.read_elements(ELEMENTS, MAKER.bundle, "P-")
    with pytest.raises(MisuseError, match=r"0 good rows.*entry 1: a device has the hardware id"):
        asked.without({"0123000000000001EE", "0123000000000002EE"})


def test_manifest_and_product_must_go_together() -> None:
    elements, rows = orders.read_elements(ELEMENTS, MAKER.bundle, "P-"), orders.numbered("P-", 1)
    elements.check(IdentityMethod.SECURE_ELEMENT, DEFAULTS)
    rows.check(IdentityMethod.CERTIFICATE, (*DEFAULTS, "dpp"))
    rows.check(IdentityMethod.SYMMETRIC_KEY, DEFAULTS)
    with pytest.raises(MisuseError, match="only a manifest"):
        rows.check(IdentityMethod.SECURE_ELEMENT, DEFAULTS)
    with pytest.raises(MisuseError, match="do not have their key in a secure element"):
        elements.check(IdentityMethod.CERTIFICATE, DEFAULTS)


def test_operator_hears_which_methods_no_element_can_have() -> None:
    elements = orders.read_elements(ELEMENTS, MAKER.bundle, "P-")
    with pytest.raises(MisuseError, match="labels of dpp and ble-oob") as caught:
        elements.check(IdentityMethod.SECURE_ELEMENT, (*DEFAULTS, "dpp", "ble-oob"))
    assert "--disable dpp --disable ble-oob" in caught.value.next_step
