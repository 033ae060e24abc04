"""The ``prov-scan`` messages: which Wi-Fi networks the device hears."""

import enum
from dataclasses import dataclass
from typing import assert_never

from doorstep.wire.protobuf import Fields, put_int, put_message, put_octets, put_uint
from doorstep.wire.provisioning.common import Payload, Status, decode_payload, encode_payload

__all__ = [
    "MAX_SCAN_ENTRIES",
    "AuthMode",
    "ScanEntry",
    "ScanMessage",
    "ScanPage",
    "ScanPageQuery",
    "ScanStart",
    "ScanStarted",
    "ScanState",
    "ScanStateQuery",
    "decode_scan",
    "encode_scan",
]

MAX_SCAN_ENTRIES = 64
MAX_SSID = 32
BSSID_SIZE = 6
LAST_KIND = 5


class AuthMode(enum.IntEnum):
    """How a network authenticates; numbers above 7 crash official clients and never leave the device."""

    OPEN = 0
    WEP = 1
    WPA = 2
    WPA2 = 3
    WPA_WPA2 = 4
    WPA2_ENTERPRISE = 5
    WPA3 = 6
    WPA2_WPA3 = 7
    OTHER = 255

    @classmethod
    def of(cls, number: int) -> "AuthMode":
        """Return the member, or `OTHER` for modes younger than this table."""
        return cls(number) if number <= cls.WPA2_WPA3 else cls.OTHER


@dataclass(frozen=True, slots=True)
class ScanEntry:
    """One network as heard; the SSID is octets and may be empty (hidden)."""

    ssid: bytes
    channel: int = 0
    rssi: int = 0
    bssid: bytes = b""
    auth: AuthMode = AuthMode.OPEN


@dataclass(frozen=True, slots=True)
class ScanStart:
    """Ask for a scan; ``blocking`` holds the answer back until it is done."""

    blocking: bool = True
    passive: bool = False
    group_channels: int = 5
    period_ms: int = 120


@dataclass(frozen=True, slots=True)
class ScanStateQuery:
    """Ask whether the scan is done."""


@dataclass(frozen=True, slots=True)
class ScanPageQuery:
    """Ask for ``count`` results from ``start`` on."""

    start: int
    count: int


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """Answer to `ScanStart`."""

    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class ScanState:
    """Answer to `ScanStateQuery`."""

    finished: bool
    count: int
    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Answer to `ScanPageQuery`."""

    entries: tuple[ScanEntry, ...]
    status: Status = Status.SUCCESS


ScanMessage = ScanStart | ScanStarted | ScanStateQuery | ScanState | ScanPageQuery | ScanPage


def encode_scan(message: ScanMessage) -> bytes:
    """Write a scan payload."""
    match message:
        case ScanStart():
            flags = put_uint(1, message.blocking) + put_uint(2, message.passive)
            pace = put_uint(3, message.group_channels) + put_uint(4, message.period_ms)
            return encode_payload(0, flags + pace)
        case ScanStarted():
            return encode_payload(1, status=message.status)
        case ScanStateQuery():
            return encode_payload(2)
        case ScanState():
            return encode_payload(
                3, put_uint(1, message.finished) + put_uint(2, message.count), message.status
            )
        case ScanPageQuery():
            return encode_payload(4, put_uint(1, message.start) + put_uint(2, message.count))
        case ScanPage():
            entries = b"".join(put_message(1, _encode_entry(entry)) for entry in message.entries)
            return encode_payload(5, entries, message.status)
        case _:
            assert_never(message)


def decode_scan(data: bytes) -> ScanMessage:
    """Read a scan payload."""
    payload = decode_payload(data, last=LAST_KIND)
    return (_start, _started, _state_query, _state, _page_query, _page)[payload.msg](payload)


def _start(payload: Payload) -> ScanStart:
    body = payload.body()
    blocking, passive = bool(body.uint(1, most=1)), bool(body.uint(2, most=1))
    return ScanStart(blocking, passive, body.uint(3), body.uint(4))


def _started(payload: Payload) -> ScanStarted:
    payload.empty_body()
    return ScanStarted(payload.status)


def _state_query(payload: Payload) -> ScanStateQuery:
    payload.empty_body()
    return ScanStateQuery()


def _state(payload: Payload) -> ScanState:
    if payload.status is not Status.SUCCESS:
        return ScanState(finished=False, count=0, status=payload.status)
    body = payload.body()
    return ScanState(bool(body.uint(1, most=1)), body.uint(2, most=MAX_SCAN_ENTRIES))


def _page_query(payload: Payload) -> ScanPageQuery:
    body = payload.body()
    return ScanPageQuery(body.uint(1), body.uint(2))


def _page(payload: Payload) -> ScanPage:
    if payload.status is not Status.SUCCESS:
        return ScanPage((), payload.status)
    return ScanPage(tuple(_decode_entry(entry) for entry in payload.body().messages(1)))


def _encode_entry(entry: ScanEntry) -> bytes:
    auth = min(entry.auth, AuthMode.WPA2_WPA3)
    place = put_uint(2, entry.channel) + put_int(3, entry.rssi)
    return put_octets(1, entry.ssid) + place + put_octets(4, entry.bssid) + put_uint(5, auth)


def _decode_entry(fields: Fields) -> ScanEntry:
    return ScanEntry(
        ssid=fields.octets(1, most=MAX_SSID),
        channel=fields.uint(2),
        rssi=fields.int32(3),
        bssid=fields.octets(4, most=BSSID_SIZE),
        auth=AuthMode.of(fields.uint(5)),
    )
