import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.wps import MAX_CREDENTIALS, Authentication, Credential, decode_credentials

# A credential as hostapd sent it, from the README of wpa_supplicant's WPS.
SENT = bytes.fromhex(
    "100e006f10260001011045000c6a6b6d2d7770732d74657374100300020020100f0002000810270040"
    "30653462303435366332363666653064333961643135353461316634626637313234333761636664623766333939653534663166"
    "316230323061643434386235102000060266a0ee1727"
)


def attribute(number: int, value: bytes) -> bytes:
    return struct.pack(">HH", number, len(value)) + value


SSID, KIND, KEY = (
    attribute(0x1045, b"home"),
    attribute(0x1003, b"\0\x20"),
    attribute(0x1027, b"correct horse"),
)


def test_reader_takes_what_hostapd_sends() -> None:
    (credential,) = decode_credentials(SENT)
    assert credential.ssid == b"jkm-wps-test"
    assert credential.authentication is Authentication.WPA2_PERSONAL
    assert credential.key == b"0e4b0456c266fe0d39ad1554a1f4bf712437acfdb7f399e54f1f1b020ad448b5"
    assert "0e4b" not in repr(credential)


def test_reader_takes_several_and_skips_what_it_does_not_know() -> None:
    octets = (
        attribute(0x104A, b"\x10") + attribute(0x100E, SSID + KIND + KEY) + attribute(0x100E, SSID + KIND)
    )
    home = Authentication.WPA2_PERSONAL
    assert decode_credentials(octets) == (
        Credential(b"home", home, b"correct horse"),
        Credential(b"home", home),
    )


@given(st.binary(max_size=300))
def test_reader_answers_anything_with_credentials_or_a_documented_error(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_credentials(octets)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (bytes(2049), "more than 2048"),
        (b"", "gave 0"),
        (attribute(0x100E, SSID + KIND) * (MAX_CREDENTIALS + 1), "gave 9"),
        (SENT[:3], "cut"),
        (SENT[:-1], "longer than"),
        (attribute(0x100E, KIND), "lacks its network"),
        (attribute(0x100E, SSID), "lacks its network"),
        (attribute(0x100E, SSID + attribute(0x1003, b"\x20")), "lacks its network"),
        (attribute(0x100E, attribute(0x1045, bytes(33)) + KIND), "too long"),
        (attribute(0x100E, SSID + KIND + attribute(0x1027, bytes(65))), "too long"),
        (attribute(0x100E, SSID + KIND + SSID), "twice"),
    ],
)
def test_reader_refuses(octets: bytes, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says):
        decode_credentials(octets)


def test_reader_lets_an_unknown_attribute_come_twice() -> None:
    octets = attribute(0x100E, SSID + KIND + attribute(0x1049, b"") * 2)
    assert len(decode_credentials(octets)) == 1
