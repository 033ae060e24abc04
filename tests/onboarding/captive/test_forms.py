from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.onboarding.captive.forms import FIELDS, MAX_FORM, decode_form, decode_ssid, shown

ODD = {
    "unknown field": b"nonsense=1",
    "field without a name": b"=1",
    "empty pair": b"key=1&&name=2",
    "field given twice": b"name=a&name=b",
    "field given twice, once coded": b"name=a&n%61me=b",
    "lonely percent sign": b"name=%",
    "half an octet": b"name=%a",
    "octet not in hexadecimal": b"name=%zz",
    "signed octet": b"name=%+1",
    "name of 33 bytes": b"name=" + b"x" * 33,
    "name of 33 coded bytes": b"name=" + b"%ff" * 33,
    "password of 65 bytes": b"password=" + b"x" * 65,
    "token of 513 bytes": b"token=" + b"x" * 513,
    "key of 33 bytes": b"key=" + b"x" * 33,
    "form of 4097 bytes": b"x" * (MAX_FORM + 1),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_form_with_anything_odd_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_form(data)


@given(st.fixed_dictionaries({}, optional={name: st.binary(max_size=cap) for name, cap in FIELDS.items()}))
def test_form_keeps_every_octet(values: dict[str, bytes]) -> None:
    assert (
        decode_form("&".join(f"{name}={quote_from_bytes(v)}" for name, v in values.items()).encode())
        == values
    )
    assert decode_form(urlencode(values).encode()) == values


@given(st.binary(max_size=200))
def test_form_of_any_bytes_is_decoded_or_refused(data: bytes) -> None:
    try:
        values = decode_form(data)
    except MalformedMessage:
        return
    assert all(len(value) <= FIELDS[name] for name, value in values.items())


def test_empty_form_has_no_values() -> None:
    assert decode_form(b"") == {}


@given(st.binary(max_size=32))
def test_network_name_survives_its_digits(ssid: bytes) -> None:
    assert decode_ssid(ssid.hex().encode()) == ssid


@pytest.mark.parametrize("digits", [b"0", b"0g", b"  ", b"0x", b"\xd9\xa0\xd9\xa0"])
def test_network_name_that_is_no_hexadecimal_is_refused(digits: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_ssid(digits)


@given(st.binary(max_size=32))
def test_shown_name_has_no_character_without_a_shape(ssid: bytes) -> None:
    assert shown(ssid).isprintable()


def test_shown_name_is_escaped_where_it_has_no_shape() -> None:
    assert shown("Café ☕".encode()) == "Café ☕"
    assert shown(b"\xff\x00a\n") == "\\xff\\x00a\\n"
    assert shown("a\u202eb".encode()) == "a\\u202eb"
