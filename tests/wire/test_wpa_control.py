"""wpa_supplicant's control text: every reply and event as it is, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry
from doorstep.wire.wpa_control import (
    MAX_DATAGRAM,
    MAX_FIELDS,
    MAX_LINES,
    channel_of,
    decode_bss,
    decode_event,
    decode_fields,
    decode_reply,
    is_event,
    unescape,
)

LETTERS = {0x22: r"\"", 0x5C: r"\\", 0x1B: r"\e", 0x0A: r"\n", 0x0D: r"\r", 0x09: r"\t"}


def printf_encode(octets: bytes) -> str:
    """As wpa_supplicant's own: letters, then printable ASCII, then hexadecimal."""
    plain = (
        LETTERS.get(octet) or (chr(octet) if 32 <= octet <= 126 else f"\\x{octet:02x}") for octet in octets
    )
    return "".join(plain)


@given(st.binary(max_size=32))
def test_client_reads_every_name_that_wpa_supplicant_escapes(ssid: bytes) -> None:
    assert unescape(printf_encode(ssid)) == ssid


@given(st.binary(max_size=300))
def test_client_reads_any_datagram_or_refuses_it_as_malformed(datagram: bytes) -> None:
    for read in (
        decode_event,
        lambda raw: decode_fields(decode_reply(raw)),
        lambda raw: decode_bss(decode_reply(raw)),
    ):
        try:
            read(datagram)
        except MalformedMessage:
            continue


@pytest.mark.parametrize("text", ["\\", "\\q", "\\x", "\\x1", "\\xg0"])
def test_client_refuses_foreign_escape(text: str) -> None:
    with pytest.raises(MalformedMessage):
        unescape(text)


def test_client_reads_wrong_key_event() -> None:
    event = decode_event(
        rb'<3>CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="a\"b\xc3\xbc" auth_failures=1 reason=WRONG_KEY'
    )
    assert event.name == "CTRL-EVENT-SSID-TEMP-DISABLED"
    assert event.fields["ssid"] == 'a"bü'
    assert event.fields["reason"] == "WRONG_KEY"
    assert "reason" not in repr(event)


def test_client_reads_number_of_network_in_connected_event() -> None:
    text = b"<3>CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:00:00 completed [id=3 id_str=]"
    assert decode_event(text).fields == {"id": "3", "id_str": ""}


def test_client_reads_event_without_text() -> None:
    assert decode_event(b"<3>CTRL-EVENT-SCAN-RESULTS ").name == "CTRL-EVENT-SCAN-RESULTS"
    assert is_event(b"<3>X")
    assert not is_event(b"OK\n")


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(b"CTRL-EVENT-SCAN-RESULTS", id="no level"),
        pytest.param(b"<9>X", id="a level beyond 7"),
        pytest.param(b"<3>", id="no name"),
        pytest.param(b"<3>X " + b"a=1 " * (MAX_FIELDS + 1), id="too many fields"),
        pytest.param(b"<3>" + b"X" * MAX_DATAGRAM, id="too long"),
    ],
)
def test_client_refuses_malformed_event(datagram: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_event(datagram)


def test_client_reads_status_lines() -> None:
    assert decode_fields(decode_reply(b"wpa_state=COMPLETED\nssid=a=b\n")) == {
        "wpa_state": "COMPLETED",
        "ssid": "a=b",
    }


@pytest.mark.parametrize("reply", ["no pair", "=value", "a=1\n" * (MAX_LINES + 1)])
def test_client_refuses_malformed_lines(reply: str) -> None:
    with pytest.raises(MalformedMessage):
        decode_fields(reply)


BSS = {
    "id": "7",
    "bssid": "02:00:00:00:01:00",
    "freq": "2437",
    "level": "-40",
    "flags": "[ESS]",
    "ssid": "home",
}


def bss(**changes: str | None) -> str:
    return "\n".join(f"{key}={value}" for key, value in (BSS | changes).items() if value is not None)


def test_client_reads_network() -> None:
    entry = ScanEntry(b"home", 6, -40, bytes.fromhex("020000000100"), AuthMode.OPEN)
    assert decode_bss(bss()) == ("7", entry)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"id": None}, id="no number"),
        pytest.param({"id": "x"}, id="a number that is none"),
        pytest.param({"bssid": "02:00"}, id="short address"),
        pytest.param({"freq": "fast"}, id="no frequency"),
        pytest.param({"level": ""}, id="no level"),
        pytest.param({"flags": None}, id="no flags"),
        pytest.param({"ssid": "x" * 33}, id="long name"),
    ],
)
def test_client_refuses_network_that_cannot_exist(changes: dict[str, str | None]) -> None:
    with pytest.raises(MalformedMessage):
        decode_bss(bss(**changes))


@pytest.mark.parametrize(
    ("flags", "auth"),
    [
        ("[ESS]", AuthMode.OPEN),
        ("[WEP][ESS]", AuthMode.WEP),
        ("[WPA-PSK-TKIP][ESS]", AuthMode.WPA),
        ("[WPA2-PSK-CCMP][ESS]", AuthMode.WPA2),
        ("[RSN-PSK-CCMP][ESS]", AuthMode.WPA2),
        ("[WPA-PSK-TKIP][WPA2-PSK-CCMP][ESS]", AuthMode.WPA_WPA2),
        ("[WPA2-EAP-CCMP][ESS]", AuthMode.WPA2_ENTERPRISE),
        ("[WPA2-SAE-CCMP][ESS]", AuthMode.WPA3),
        ("[WPA2-PSK+SAE-CCMP][ESS]", AuthMode.WPA2_WPA3),
        ("[WPA2-OWE-CCMP][ESS]", AuthMode.OTHER),
    ],
)
def test_client_reads_how_network_authenticates(flags: str, auth: AuthMode) -> None:
    assert decode_bss(bss(flags=flags))[1].auth is auth


@pytest.mark.parametrize(
    ("frequency", "channel"),
    [(2412, 1), (2472, 13), (2484, 14), (5180, 36), (5885, 177), (5955, 1), (900, 0)],
)
def test_client_knows_channel_of_frequency(frequency: int, channel: int) -> None:
    assert channel_of(frequency) == channel
