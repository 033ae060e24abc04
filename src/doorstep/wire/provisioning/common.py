"""What provisioning payloads share: the status, the size cap, and ``msg`` naming body field ``10 + msg``."""

import enum
from dataclasses import dataclass
from typing import TypeVar

from doorstep.errors import MalformedMessage
from doorstep.wire.protobuf import Fields, parse, put_message, put_uint

__all__ = ["MAX_MESSAGE", "Payload", "Status", "decode_payload", "encode_payload", "read_enum"]

E = TypeVar("E", bound=enum.IntEnum)

MAX_MESSAGE = 4096
"""The most bytes a device takes or gives in one exchange."""

FIRST_BODY = 10
LAST_BODY = 21


class Status(enum.IntEnum):
    """What the device thinks of a request."""

    SUCCESS = 0
    INVALID_SCHEME = 1
    INVALID_PROTO = 2
    TOO_MANY_SESSIONS = 3
    INVALID_ARGUMENT = 4
    INTERNAL_ERROR = 5
    CRYPTO_ERROR = 6
    INVALID_SESSION = 7


@dataclass(frozen=True, slots=True)
class Payload:
    """One decoded payload: its kind, top-level status and the body that belongs to the kind."""

    msg: int
    status: Status
    fields: Fields

    def body(self) -> Fields:
        """Return the body; raise where the sender left out one that is never empty."""
        return self.fields.message(FIRST_BODY + self.msg)

    def empty_body(self) -> None:
        """Check a body without fields, which official clients leave out."""
        if self.fields.has(FIRST_BODY + self.msg):
            self.body()


def decode_payload(data: bytes, *, last: int) -> Payload:
    """Read a payload of kinds 0 to ``last``; raise `MalformedMessage` on the body of another kind."""
    fields = parse(data, most=MAX_MESSAGE)
    msg = fields.uint(1, most=last)
    for number in range(FIRST_BODY, LAST_BODY + 1):
        if fields.has(number) and number != FIRST_BODY + msg:
            raise MalformedMessage(f"message {msg} carries the body of message {number - FIRST_BODY}")
    return Payload(msg, read_enum(fields, 2, Status), fields)


def encode_payload(msg: int, body: bytes = b"", status: Status = Status.SUCCESS) -> bytes:
    """Write a payload; bodies without fields are written too, so that ``msg`` 0 is never an empty message."""
    return put_uint(1, msg) + put_uint(2, status) + put_message(FIRST_BODY + msg, body)


def read_enum(fields: Fields, number: int, kind: type[E]) -> E:
    """Return an enum member; a number without a member is malformed."""
    value = fields.uint(number)
    try:
        return kind(value)
    except ValueError:
        raise MalformedMessage(f"{kind.__name__} has no member {value}") from None
