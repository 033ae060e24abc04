"""The ``prov-config`` messages: set a network, apply it, ask how the joining goes."""

import enum
from dataclasses import dataclass, field
from typing import assert_never

from doorstep.errors import MalformedMessage
from doorstep.wire.protobuf import Fields, put_int, put_message, put_octets, put_uint
from doorstep.wire.provisioning.common import (
    MAX_MESSAGE,
    Payload,
    Status,
    decode_payload,
    encode_payload,
    read_enum,
)
from doorstep.wire.provisioning.scan import BSSID_SIZE, MAX_SSID, AuthMode

__all__ = [
    "ApplyConfig",
    "ConfigApplied",
    "ConfigMessage",
    "ConfigSet",
    "ConnectFailure",
    "ConnectedNetwork",
    "SetConfig",
    "StationReport",
    "StationReportQuery",
    "StationState",
    "decode_config",
    "encode_config",
]

LAST_KIND = 5
MAX_ADDRESS_TEXT = 45
REASON, CONNECTED, ATTEMPT_FAILED = 10, 11, 12


class StationState(enum.IntEnum):
    """Where the device's joining of the network stands."""

    CONNECTED = 0
    CONNECTING = 1
    DISCONNECTED = 2
    FAILED = 3


class ConnectFailure(enum.IntEnum):
    """The two reasons that the wire format knows."""

    AUTHENTICATION = 0
    NETWORK_NOT_FOUND = 1


@dataclass(frozen=True, slots=True)
class StationReportQuery:
    """Ask how the joining goes."""


@dataclass(frozen=True, slots=True)
class SetConfig:
    """Put a network forward; its values are judged by the device, which answers with a status."""

    ssid: bytes
    passphrase: bytes = field(default=b"", repr=False)
    bssid: bytes = b""
    channel: int = 0


@dataclass(frozen=True, slots=True)
class ApplyConfig:
    """Ask the device to join the network it was given."""


@dataclass(frozen=True, slots=True)
class ConnectedNetwork:
    """What the device joined."""

    ip4_addr: str
    auth: AuthMode = AuthMode.OPEN
    ssid: bytes = b""
    bssid: bytes = b""
    channel: int = 0


@dataclass(frozen=True, slots=True)
class StationReport:
    """Answer to `StationReportQuery`: ``failure`` when it failed, ``network`` when connected."""

    state: StationState
    failure: ConnectFailure | None = None
    network: ConnectedNetwork | None = None
    attempts_left: int | None = None
    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class ConfigSet:
    """Answer to `SetConfig`."""

    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class ConfigApplied:
    """Answer to `ApplyConfig`."""

    status: Status = Status.SUCCESS


ConfigMessage = StationReportQuery | StationReport | SetConfig | ConfigSet | ApplyConfig | ConfigApplied


def encode_config(message: ConfigMessage) -> bytes:
    """Write a config payload."""
    match message:
        case StationReportQuery():
            return encode_payload(0)
        case StationReport():
            return encode_payload(1, _encode_report(message))
        case SetConfig():
            network = put_octets(1, message.ssid) + put_octets(2, message.passphrase)
            return encode_payload(2, network + put_octets(3, message.bssid) + put_int(4, message.channel))
        case ConfigSet():
            return encode_payload(3, put_uint(1, message.status))
        case ApplyConfig():
            return encode_payload(4)
        case ConfigApplied():
            return encode_payload(5, put_uint(1, message.status))
        case _:
            assert_never(message)


def decode_config(data: bytes) -> ConfigMessage:
    """Read a config payload."""
    payload = decode_payload(data, last=LAST_KIND)
    return (_report_query, _report, _set, _set_answer, _apply, _apply_answer)[payload.msg](payload)


def _report_query(payload: Payload) -> StationReportQuery:
    payload.empty_body()
    return StationReportQuery()


def _set(payload: Payload) -> SetConfig:
    body = payload.body()
    ssid, passphrase = body.octets(1, most=MAX_MESSAGE), body.octets(2, most=MAX_MESSAGE)
    return SetConfig(ssid, passphrase, body.octets(3, most=MAX_MESSAGE), body.int32(4))


def _set_answer(payload: Payload) -> ConfigSet:
    return ConfigSet(read_enum(payload.body(), 1, Status))


def _apply(payload: Payload) -> ApplyConfig:
    payload.empty_body()
    return ApplyConfig()


def _apply_answer(payload: Payload) -> ConfigApplied:
    return ConfigApplied(read_enum(payload.body(), 1, Status))


def _encode_report(report: StationReport) -> bytes:
    out = put_uint(1, report.status) + put_uint(2, report.state)
    if report.failure is not None:
        return out + put_uint(REASON, report.failure, explicit=True)
    if report.network is not None:
        return out + put_message(CONNECTED, _encode_network(report.network))
    if report.attempts_left is not None:
        return out + put_message(ATTEMPT_FAILED, put_uint(1, report.attempts_left))
    return out


def _report(payload: Payload) -> StationReport:
    body = payload.body()
    if sum(body.has(number) for number in (REASON, CONNECTED, ATTEMPT_FAILED)) > 1:
        raise MalformedMessage("a station report carries two outcomes")
    return StationReport(
        state=read_enum(body, 2, StationState),
        failure=read_enum(body, REASON, ConnectFailure) if body.has(REASON) else None,
        network=_decode_network(body.message(CONNECTED)) if body.has(CONNECTED) else None,
        attempts_left=body.message(ATTEMPT_FAILED).uint(1) if body.has(ATTEMPT_FAILED) else None,
        status=read_enum(body, 1, Status),
    )


def _encode_network(network: ConnectedNetwork) -> bytes:
    auth = min(network.auth, AuthMode.WPA2_WPA3)
    who = put_octets(3, network.ssid) + put_octets(4, network.bssid)
    return put_octets(1, network.ip4_addr.encode()) + put_uint(2, auth) + who + put_int(5, network.channel)


def _decode_network(fields: Fields) -> ConnectedNetwork:
    return ConnectedNetwork(
        ip4_addr=fields.text(1, most=MAX_ADDRESS_TEXT),
        auth=AuthMode.of(fields.uint(2)),
        ssid=fields.octets(3, most=MAX_SSID),
        bssid=fields.octets(4, most=BSSID_SIZE),
        channel=fields.int32(5),
    )
