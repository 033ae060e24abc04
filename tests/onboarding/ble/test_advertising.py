from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.ble.advertising import (
    MAX_NAME,
    MAX_PAYLOAD,
    Advertisement,
    ManufacturerData,
    parse_advertisement,
)
from doorstep.onboarding.ble.layout import DEFAULT_SERVICE
from doorstep.onboarding.ble.uuids import from_short, to_short

MANUFACTURER = ManufacturerData(0x02E5, b"\x01\x02")

CUT = {
    "field longer than the rest": "0201060a09",
    "short service cut": "0303ff",
    "short services cut": "0403ffffff",
    "long service cut": "0507aabbccdd",
    "services of no bytes": "0107",
    "manufacturer cut": "02ff01",
    "service data cut": "0216ff",
    "too long": "00" * 1651,
}
TOO_LONG = {
    "name": Advertisement(name="n" * (MAX_NAME + 1)),
    "name of one field": Advertisement(name="n" * 255),
    "manufacturer": Advertisement(name="n" * 20, manufacturer=ManufacturerData(1, bytes(6))),
    "company": Advertisement(manufacturer=ManufacturerData(0x10000, b"")),
    "services": Advertisement((DEFAULT_SERVICE, UUID(int=1))),
    "service data": Advertisement((DEFAULT_SERVICE,), service_data=((from_short(0x4677), bytes(7)),)),
}


def test_advertisement_is_what_stock_devices_send() -> None:
    said = Advertisement((DEFAULT_SERVICE,), "PROV_1", MANUFACTURER)
    assert said.payload().hex() == "020106" + "1107" + "07ed9b2d0f067c879b43436b4d247517"
    assert said.scan_response().hex() == "0709" + b"PROV_1".hex() + "05ff" + "e502" + "0102"


def test_short_services_stay_short() -> None:
    said = Advertisement((from_short(0xFFFF),), service_data=((from_short(0x4677), b"\x02"),))
    assert said.payload().hex() == "020106" + "0303ffff" + "0416774602"
    assert said.scan_response() == b""


def test_improv_fills_an_advertisement_to_the_last_byte() -> None:
    said = Advertisement((DEFAULT_SERVICE,), service_data=((from_short(0x4677), bytes(6)),))
    assert len(said.payload()) == MAX_PAYLOAD


@given(
    services=st.lists(st.uuids() | st.integers(0, 0xFFFF).map(from_short), max_size=1).map(tuple),
    name=st.text(max_size=5).filter(lambda text: "\ufffd" not in text),
    manufacturer=st.none() | st.builds(ManufacturerData, st.integers(0, 0xFFFF), st.binary(max_size=4)),
    data=st.binary(max_size=5),
)
def test_parsing_returns_what_was_said(
    services: tuple[UUID, ...], name: str, manufacturer: ManufacturerData | None, data: bytes
) -> None:
    service_data = tuple((uuid, data) for uuid in services if to_short(uuid) is not None)
    said = Advertisement(services, name, manufacturer, service_data)
    assert parse_advertisement(said.payload() + said.scan_response()) == said


def test_long_service_data_is_read() -> None:
    said = Advertisement(service_data=((DEFAULT_SERVICE, b"x"),))
    assert parse_advertisement(said.payload()) == said


def test_shortened_name_unknown_fields_and_padding_are_taken() -> None:
    heard = parse_advertisement(bytes.fromhex("020aff" + "0308" + b"ab".hex() + "0000ff"))
    assert heard == Advertisement(name="ab")


@pytest.mark.parametrize("octets", CUT.values(), ids=CUT)
def test_cut_advertisement_is_refused(octets: str) -> None:
    with pytest.raises(MalformedMessage):
        parse_advertisement(bytes.fromhex(octets))


@given(st.binary(max_size=62))
def test_noise_is_read_or_refused(octets: bytes) -> None:
    with suppress(MalformedMessage):
        parse_advertisement(octets)


@pytest.mark.parametrize("said", TOO_LONG.values(), ids=TOO_LONG)
def test_advertisement_that_does_not_fit_is_refused(said: Advertisement) -> None:
    with pytest.raises(SettingsError):
        said.payload(), said.scan_response()


def test_two_reports_of_a_device_are_joined() -> None:
    first = Advertisement((DEFAULT_SERVICE,), "", None, ((DEFAULT_SERVICE, b"old"),))
    second = Advertisement(
        (DEFAULT_SERVICE, UUID(int=1)), "PROV_1", MANUFACTURER, ((DEFAULT_SERVICE, b"new"),)
    )
    assert first.joined(second) == second
    assert second.joined(Advertisement()) == second


def test_short_uuids_are_those_of_the_base() -> None:
    assert str(from_short(0x2901)) == "00002901-0000-1000-8000-00805f9b34fb"
    assert to_short(from_short(0x2901)) == 0x2901
    assert to_short(DEFAULT_SERVICE) is None
    assert to_short(UUID("00012901-0000-1000-8000-00805f9b34fb")) is None
