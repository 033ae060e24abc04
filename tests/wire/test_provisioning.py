from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.protobuf import put_int, put_message, put_octets, put_uint
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.config import (
    ApplyConfig,
    ConfigApplied,
    ConfigMessage,
    ConfigSet,
    ConnectedNetwork,
    ConnectFailure,
    SetConfig,
    StationReport,
    StationReportQuery,
    StationState,
    decode_config,
    encode_config,
)
from doorstep.wire.provisioning.ctrl import (
    CtrlMessage,
    Reprovision,
    ReprovisionDone,
    Reset,
    ResetDone,
    decode_ctrl,
    encode_ctrl,
)
from doorstep.wire.provisioning.delivery import (
    Deliver,
    Delivered,
    DeliveryMessage,
    DeviceStage,
    StageQuery,
    StageReport,
    decode_delivery,
    encode_delivery,
)
from doorstep.wire.provisioning.details import DetailsSet, EapDetails, EapKind, FixedAddress, SetDetails
from doorstep.wire.provisioning.scan import (
    MAX_SCAN_ENTRIES,
    AuthMode,
    ScanEntry,
    ScanMessage,
    ScanPage,
    ScanPageQuery,
    ScanStart,
    ScanStarted,
    ScanState,
    ScanStateQuery,
    decode_scan,
    encode_scan,
)
from doorstep.wire.provisioning.session import (
    Sec0Command,
    Sec0Response,
    Sec1Command0,
    Sec1Command1,
    Sec1Response0,
    Sec1Response1,
    Sec2Command0,
    Sec2Command1,
    Sec2Response0,
    Sec2Response1,
    SessionMessage,
    decode_session,
    encode_session,
)

SESSION: list[SessionMessage] = [
    Sec0Command(),
    Sec0Response(),
    Sec0Response(Status.INVALID_SCHEME),
    Sec1Command0(b"\x01" * 32),
    Sec1Response0(b"\x02" * 32, b"\x03" * 16),
    Sec1Response0(b"", b"", Status.INVALID_ARGUMENT),
    Sec1Command1(b"\x04" * 32),
    Sec1Response1(b"\x05" * 32),
    Sec1Response1(b"", Status.CRYPTO_ERROR),
    Sec2Command0(b"doorstep", b"\x01" * 384),
    Sec2Response0(b"\x02" * 384, b"salt"),
    Sec2Response0(b"", b"", Status.INVALID_ARGUMENT),
    Sec2Command1(b"\x03" * 64),
    Sec2Response1(b"\x04" * 64, b"\x05" * 12),
    Sec2Response1(b"", b"", Status.CRYPTO_ERROR),
]
ENTRY = ScanEntry(b"caf\xc3\xa9 \xff", 11, -71, b"\x02" * 6, AuthMode.WPA3)
SCAN: list[ScanMessage] = [
    ScanStart(),
    ScanStart(blocking=False, passive=True, group_channels=0, period_ms=0),
    ScanStarted(),
    ScanStarted(Status.INTERNAL_ERROR),
    ScanStateQuery(),
    ScanState(finished=True, count=2),
    ScanState(finished=False, count=0, status=Status.INTERNAL_ERROR),
    ScanPageQuery(0, 4),
    ScanPage((ENTRY, ScanEntry(b""))),
    ScanPage((), Status.INVALID_ARGUMENT),
]
CONFIG: list[ConfigMessage] = [
    StationReportQuery(),
    StationReport(StationState.CONNECTING),
    StationReport(StationState.CONNECTING, attempts_left=2),
    StationReport(StationState.FAILED, ConnectFailure.AUTHENTICATION),
    StationReport(StationState.FAILED, ConnectFailure.NETWORK_NOT_FOUND),
    StationReport(
        StationState.CONNECTED,
        network=ConnectedNetwork("10.0.0.2", AuthMode.WPA2, b"home", b"\x02" * 6, 6),
    ),
    SetConfig(b"\x00\xff home", b"correct horse", b"\x02" * 6, 11),
    SetConfig(b""),
    ConfigSet(),
    ConfigSet(Status.INVALID_ARGUMENT),
    ApplyConfig(),
    ConfigApplied(Status.INTERNAL_ERROR),
]
CTRL: list[CtrlMessage] = [
    Reset(),
    ResetDone(),
    ResetDone(Status.INTERNAL_ERROR),
    Reprovision(),
    ReprovisionDone(),
]
FIXED = FixedAddress(b"\xc0\x00\x02\x07", 24, b"\xc0\x00\x02\x01", b"\x09\x09\x09\x09" * 3)
PEAP = EapDetails(EapKind.PEAP, "l\u00e4mp", "radius.example", b"\x30ca", b"p\xff")
TLS = EapDetails(EapKind.TLS, "lamp", "", b"\x30ca", certificate=b"\x30own", private_key=b"\x30key")
DELIVERY: list[DeliveryMessage] = [
    SetDetails(FIXED),
    SetDetails(replace(FIXED, prefix=0, name_servers=b""), PEAP),
    SetDetails(eap=TLS),
    DetailsSet(),
    DetailsSet(Status.INVALID_ARGUMENT),
    Deliver(b"token", "https://example.test", "lamp"),
    Delivered("dev1"),
    Delivered("", Status.INVALID_ARGUMENT),
    StageQuery(),
    StageReport(DeviceStage.HELD),
]


@pytest.mark.parametrize("message", SESSION, ids=repr)
def test_session_messages_come_back(message: SessionMessage) -> None:
    assert decode_session(encode_session(message)) == message


@pytest.mark.parametrize("message", SCAN, ids=repr)
def test_scan_messages_come_back(message: ScanMessage) -> None:
    assert decode_scan(encode_scan(message)) == message


@pytest.mark.parametrize("message", CONFIG, ids=repr)
def test_config_messages_come_back(message: ConfigMessage) -> None:
    assert decode_config(encode_config(message)) == message


@pytest.mark.parametrize("message", CTRL, ids=repr)
def test_ctrl_messages_come_back(message: CtrlMessage) -> None:
    assert decode_ctrl(encode_ctrl(message)) == message


@pytest.mark.parametrize("message", DELIVERY, ids=repr)
def test_delivery_messages_come_back(message: DeliveryMessage) -> None:
    assert decode_delivery(encode_delivery(message)) == message


ONLY_KINDS = {
    "scan status": (decode_scan, 2, ScanStateQuery()),
    "station report": (decode_config, 0, StationReportQuery()),
    "apply": (decode_config, 4, ApplyConfig()),
    "reset": (decode_ctrl, 1, Reset()),
    "stage": (decode_delivery, 2, StageQuery()),
}


@pytest.mark.parametrize(("decode", "msg", "message"), ONLY_KINDS.values(), ids=ONLY_KINDS)
def test_device_accepts_missing_body_that_would_be_empty(
    decode: Callable[[bytes], object], msg: int, message: object
) -> None:
    assert decode(put_uint(1, msg)) == message


def test_open_session_looks_as_official_clients_send_it() -> None:
    assert encode_session(Sec0Command()) == bytes.fromhex("5203a20100")


def _sec2(inner: bytes, version: int = 2, body: int = 12) -> bytes:
    return put_uint(2, version) + put_message(body, inner)


A = b"\x01" * 384
COMMAND0 = put_message(20, put_octets(1, b"user") + put_octets(2, A))
REFUSED_SESSIONS = {
    "empty": b"",
    "null dereference of old firmware": bytes.fromhex("10026200"),
    "no oneof": put_uint(2, 2),
    "sec_ver 2 with sec1 body": _sec2(COMMAND0, body=11),
    "sec_ver 1 with sec2 body": _sec2(COMMAND0, version=1),
    "two schemes": _sec2(COMMAND0) + put_message(11, b""),
    "sec_ver 3": _sec2(COMMAND0, version=3),
    "command 0 with the body of command 1": _sec2(put_message(22, put_octets(1, b"\x01" * 64))),
    "command 1 with the body of command 0": _sec2(put_uint(1, 2) + COMMAND0),
    "two commands": _sec2(COMMAND0 + put_message(22, put_octets(1, b"\x01" * 64))),
    "command 4": _sec2(put_uint(1, 4) + put_message(24, b"")),
    "user name empty": _sec2(put_message(20, put_octets(2, A))),
    "user name of 256 bytes": _sec2(put_message(20, put_octets(1, b"u" * 256) + put_octets(2, A))),
    "user name of 65537 bytes": _sec2(put_message(20, put_octets(1, b"u" * 65537) + put_octets(2, A))),
    "A of 0 bytes": _sec2(put_message(20, put_octets(1, b"user"))),
    "A of 385 bytes": _sec2(put_message(20, put_octets(1, b"user") + put_octets(2, A + b"\x01"))),
    "A as a number": _sec2(put_message(20, put_octets(1, b"user") + put_uint(2, 1))),
    "proof of 63 bytes": _sec2(put_uint(1, 2) + put_message(22, put_octets(1, b"\x01" * 63))),
    "proof of 65 bytes": _sec2(put_uint(1, 2) + put_message(22, put_octets(1, b"\x01" * 65))),
    "command 1 without proof": _sec2(put_uint(1, 2) + put_message(22, b"")),
    "nonce of 11 bytes": _sec2(
        put_uint(1, 3) + put_message(23, put_octets(2, b"\x01" * 64) + put_octets(3, b"\x01" * 11))
    ),
    "unknown status": _sec2(put_uint(1, 1) + put_message(21, put_uint(1, 99))),
    "sec0 command 2": _sec2(put_uint(1, 2) + put_message(22, b""), version=0, body=10),
    "sec0 command with the body of its reply": _sec2(put_message(21, b""), version=0, body=10),
    "sec1 key missing": _sec2(put_message(20, b""), version=1, body=11),
    "sec1 key of 31 bytes": _sec2(put_message(20, put_octets(1, b"\x01" * 31)), version=1, body=11),
    "sec1 proof in field 1": _sec2(
        put_uint(1, 2) + put_message(22, put_octets(1, b"\x01" * 32)), version=1, body=11
    ),
    "sec1 random of 15 bytes": _sec2(
        put_uint(1, 1) + put_message(21, put_octets(2, b"\x01" * 32) + put_octets(3, b"\x01" * 15)),
        version=1,
        body=11,
    ),
    "truncated varint in the command": _sec2(put_message(20, b"\x0a\x80")),
}


@pytest.mark.parametrize("data", REFUSED_SESSIONS.values(), ids=REFUSED_SESSIONS)
def test_reader_refuses_malformed_session(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_session(data)


@pytest.mark.parametrize("message", [SESSION[0], SESSION[3]], ids=["command 0", "command 1"])
def test_reader_refuses_session_cut_anywhere(message: SessionMessage) -> None:
    whole = encode_session(message)
    for end in range(len(whole)):
        with pytest.raises(MalformedMessage):
            decode_session(whole[:end])


def _details(field: int, content: bytes) -> bytes:
    return put_uint(1, 4) + put_message(14, put_message(field, content))


REFUSED_PAYLOADS = {
    "empty scan": (decode_scan, b""),
    "scan start without its body": (decode_scan, put_uint(2, 1)),
    "scan start with the body of status": (decode_scan, put_message(12, b"")),
    "scan start with two bodies": (decode_scan, put_message(10, b"") + put_message(12, b"")),
    "scan result query without its body": (decode_scan, put_uint(1, 4)),
    "scan kind 6": (decode_scan, put_uint(1, 6) + put_message(16, b"")),
    "scan blocking 2": (decode_scan, put_message(10, put_uint(1, 2))),
    "scan empty body as a number": (decode_scan, put_uint(1, 2) + put_uint(12, 1)),
    "scan count above the cap": (
        decode_scan,
        put_uint(1, 3) + put_message(13, put_uint(2, MAX_SCAN_ENTRIES + 1)),
    ),
    "scan ssid of 33 bytes": (
        decode_scan,
        put_uint(1, 5) + put_message(15, put_message(1, put_octets(1, b"s" * 33))),
    ),
    "scan unknown status": (decode_scan, put_uint(1, 1) + put_uint(2, 8)),
    "set without its body": (decode_config, put_uint(1, 2)),
    "set with the body of apply": (decode_config, put_uint(1, 2) + put_message(14, b"")),
    "set ssid as a number": (decode_config, put_uint(1, 2) + put_message(12, put_uint(1, 1))),
    "set channel beyond 32 bits": (decode_config, put_uint(1, 2) + put_message(12, put_int(4, 2**31))),
    "report without its body": (decode_config, put_uint(1, 1)),
    "report with two outcomes": (
        decode_config,
        put_uint(1, 1) + put_message(11, put_uint(10, 1) + put_message(12, b"")),
    ),
    "report of an unknown state": (decode_config, put_uint(1, 1) + put_message(11, put_uint(2, 9))),
    "ctrl reserved": (decode_ctrl, b""),
    "ctrl kind 5": (decode_ctrl, put_uint(1, 5)),
    "ctrl reset with the body of reprovision": (decode_ctrl, put_uint(1, 1) + put_message(13, b"")),
    "deliver without its body": (decode_delivery, put_uint(2, 0)),
    "deliver of an oversized token": (decode_delivery, put_message(10, put_octets(1, b"t" * 513))),
    "deliver to a server that is not UTF-8": (decode_delivery, put_message(10, put_octets(2, b"\xff"))),
    "report of an unknown stage": (decode_delivery, put_uint(1, 3) + put_message(13, put_uint(1, 99))),
    "details that say nothing": (decode_delivery, put_uint(1, 4) + put_message(14, b"")),
    "details without a body": (decode_delivery, put_uint(1, 4)),
    "address of three bytes": (decode_delivery, _details(1, put_octets(1, b"abc") + put_octets(3, b"abcd"))),
    "gateway left out": (decode_delivery, _details(1, put_octets(1, b"abcd"))),
    "half a name server": (
        decode_delivery,
        _details(1, put_octets(1, b"abcd") + put_octets(3, b"abcd") + put_octets(4, b"abcdef")),
    ),
    "four name servers": (decode_delivery, _details(1, put_octets(4, bytes(range(1, 17))))),
    "prefix of 33": (
        decode_delivery,
        _details(1, put_octets(1, b"abcd") + put_uint(2, 33) + put_octets(3, b"abcd")),
    ),
    "EAP method that nobody named": (decode_delivery, _details(2, put_octets(2, b"lamp"))),
    "EAP method of tomorrow": (decode_delivery, _details(2, put_uint(1, 4))),
    "oversized certificate": (decode_delivery, _details(2, put_uint(1, 1) + put_octets(4, b"c" * 1901))),
    "payload above the cap": (decode_delivery, put_message(10, put_octets(1, b"t" * 4096))),
}


@pytest.mark.parametrize(("decode", "data"), REFUSED_PAYLOADS.values(), ids=REFUSED_PAYLOADS)
def test_reader_refuses_malformed_payload(decode: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(data)


def test_device_never_sends_auth_mode_above_seven() -> None:
    entry = ScanEntry(b"home", auth=AuthMode.OTHER)
    assert decode_scan(encode_scan(ScanPage((entry,)))) == ScanPage(
        (ScanEntry(b"home", auth=AuthMode.WPA2_WPA3),)
    )
    report = StationReport(StationState.CONNECTED, network=ConnectedNetwork("10.0.0.2", AuthMode.OTHER))
    assert decode_config(encode_config(report)).network.auth is AuthMode.WPA2_WPA3  # type: ignore[union-attr]


def test_configurator_tolerates_younger_auth_mode() -> None:
    younger = put_uint(1, 5) + put_message(15, put_message(1, put_octets(1, b"home") + put_uint(5, 9)))
    assert decode_scan(younger) == ScanPage((ScanEntry(b"home", auth=AuthMode.OTHER),))


def test_full_scan_page_fits_one_message() -> None:
    widest = ScanEntry(b"s" * 32, 233, -100, b"\x02" * 6, AuthMode.WPA3)
    assert len(encode_scan(ScanPage((widest,) * MAX_SCAN_ENTRIES))) <= 4096 - 16


def test_secrets_stay_out_of_reprs() -> None:
    shown = repr(SetConfig(b"home", b"correct horse")) + repr(Deliver(b"t0ken", "https://example.test"))
    assert "correct horse" not in shown
    assert "t0ken" not in shown


@given(st.binary(max_size=80))
def test_decoders_give_messages_or_malformed_and_nothing_else(data: bytes) -> None:
    for decode in (decode_session, decode_scan, decode_config, decode_ctrl, decode_delivery):
        try:
            decode(data)
        except MalformedMessage:
            continue
