"""The ``prov-ctrl`` messages: reset after a failure, or open for another network."""

from dataclasses import dataclass
from typing import assert_never

from doorstep.errors import MalformedMessage
from doorstep.wire.provisioning.common import Payload, Status, decode_payload, encode_payload

__all__ = [
    "CtrlMessage",
    "Reprovision",
    "ReprovisionDone",
    "Reset",
    "ResetDone",
    "decode_ctrl",
    "encode_ctrl",
]

LAST_KIND = 4


@dataclass(frozen=True, slots=True)
class Reset:
    """Forget the failed attempt, so that another can be made."""


@dataclass(frozen=True, slots=True)
class ResetDone:
    """Answer to `Reset`."""

    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class Reprovision:
    """Take another network although one is joined."""


@dataclass(frozen=True, slots=True)
class ReprovisionDone:
    """Answer to `Reprovision`."""

    status: Status = Status.SUCCESS


CtrlMessage = Reset | ResetDone | Reprovision | ReprovisionDone


def encode_ctrl(message: CtrlMessage) -> bytes:
    """Write a ctrl payload."""
    match message:
        case Reset():
            return encode_payload(1)
        case ResetDone():
            return encode_payload(2, status=message.status)
        case Reprovision():
            return encode_payload(3)
        case ReprovisionDone():
            return encode_payload(4, status=message.status)
        case _:
            assert_never(message)


def decode_ctrl(data: bytes) -> CtrlMessage:
    """Read a ctrl payload."""
    payload = decode_payload(data, last=LAST_KIND)
    payload.empty_body()
    return _message(payload)


def _message(payload: Payload) -> CtrlMessage:
    match payload.msg:
        case 1:
            return Reset()
        case 2:
            return ResetDone(payload.status)
        case 3:
            return Reprovision()
        case 4:
            return ReprovisionDone(payload.status)
        case _:
            raise MalformedMessage("ctrl message 0 is reserved")
