"""The messages of Doorstep's own ``doorstep`` endpoint: an order, how far the device got, network details.

Same shape as the others: ``msg`` = 1, ``status`` = 2, body in field ``10 + msg``. `Deliver` {token = 1 bytes,
server = 2 text, alias = 3 text}; `Delivered` {device_id = 1 text}; `StageReport` {stage = 1}. `SetDetails`
adds what a network needs beside its password: `details.py`.
"""

import enum
from dataclasses import dataclass, field
from typing import assert_never

from doorstep.wire.protobuf import put_octets, put_uint
from doorstep.wire.provisioning.common import Payload, Status, decode_payload, encode_payload, read_enum
from doorstep.wire.provisioning.details import DetailsSet, SetDetails, read_details, write_details

__all__ = [
    "MAX_ALIAS",
    "MAX_DEVICE_ID",
    "MAX_SERVER",
    "MAX_TOKEN",
    "Deliver",
    "Delivered",
    "DeliveryMessage",
    "DeviceStage",
    "StageQuery",
    "StageReport",
    "decode_delivery",
    "encode_delivery",
]

LAST_KIND = 5
MAX_TOKEN = 512
MAX_SERVER = 512
MAX_ALIAS = 128
MAX_DEVICE_ID = 128


class DeviceStage(enum.IntEnum):
    """How far the device got, finer than the station report of stock firmware."""

    WAITING = 0
    """No network was put forward yet."""
    TRYING = 1
    """Joining the network."""
    WRONG_PASSWORD = 2
    """The network refused the password."""
    NO_SUCH_NETWORK = 3
    """No network of that name is in reach."""
    NO_ADDRESS = 4
    """Joined, but the network gave no address."""
    NO_INTERNET = 5
    """Joined, but nothing answers beyond the network."""
    NO_SERVER = 6
    """Online, but the server named in the order does not answer."""
    CONNECTED = 7
    """Joined, with an address; the network is stored."""
    REGISTERING = 8
    """Talking to the server about its new owner."""
    REGISTERED = 9
    """The server took the registration."""
    HELD = 10
    """The server holds the registration until a person has looked at it."""
    REFUSED = 11
    """The server refused the registration."""
    WRONG_CLOCK = 12
    """The device's clock is so wrong that the server's certificate cannot be checked."""
    RADIO_FAILED = 13
    """The device's own Wi-Fi did not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand over a single-use registration token, the server to register at and the name the owner gave."""

    token: bytes = field(repr=False)
    server: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Answer to `Deliver`: which device took it; empty unless the status is success."""

    device_id: str
    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class StageQuery:
    """Ask how far the device got."""


@dataclass(frozen=True, slots=True)
class StageReport:
    """Answer to `StageQuery`."""

    stage: DeviceStage
    status: Status = Status.SUCCESS


DeliveryMessage = Deliver | Delivered | StageQuery | StageReport | SetDetails | DetailsSet


def encode_delivery(message: DeliveryMessage) -> bytes:
    """Write a delivery payload."""
    match message:
        case Deliver():
            where = put_octets(2, message.server.encode()) + put_octets(3, message.alias.encode())
            return encode_payload(0, put_octets(1, message.token) + where)
        case Delivered():
            return encode_payload(1, put_octets(1, message.device_id.encode()), message.status)
        case StageQuery():
            return encode_payload(2)
        case StageReport():
            return encode_payload(3, put_uint(1, message.stage), message.status)
        case SetDetails():
            return encode_payload(4, write_details(message))
        case DetailsSet():
            return encode_payload(5, status=message.status)
        case _:
            assert_never(message)


def decode_delivery(data: bytes) -> DeliveryMessage:
    """Read a delivery payload."""
    payload = decode_payload(data, last=LAST_KIND)
    return (_deliver, _delivered, _stage_query, _stage_report, _set_details, _details_set)[payload.msg](
        payload
    )


def _deliver(payload: Payload) -> Deliver:
    body = payload.body()
    token, server = body.octets(1, most=MAX_TOKEN), body.text(2, most=MAX_SERVER)
    return Deliver(token, server, body.text(3, most=MAX_ALIAS))


def _delivered(payload: Payload) -> Delivered:
    return Delivered(payload.body().text(1, most=MAX_DEVICE_ID), payload.status)


def _stage_query(payload: Payload) -> StageQuery:
    payload.empty_body()
    return StageQuery()


def _stage_report(payload: Payload) -> StageReport:
    return StageReport(read_enum(payload.body(), 1, DeviceStage), payload.status)


def _set_details(payload: Payload) -> SetDetails:
    return read_details(payload.body())


def _details_set(payload: Payload) -> DetailsSet:
    payload.empty_body()
    return DetailsSet(payload.status)
