"""The ``prov-session`` messages: the handshake of security scheme 2; schemes 0 and 1 are only told apart."""

from dataclasses import dataclass
from typing import assert_never

from doorstep.errors import MalformedMessage
from doorstep.wire.protobuf import Fields, parse, put_message, put_octets, put_uint
from doorstep.wire.provisioning.common import MAX_MESSAGE, Status, read_enum

__all__ = [
    "MAX_PUBLIC",
    "MAX_USERNAME",
    "NONCE_SIZE",
    "PROOF_SIZE",
    "OtherScheme",
    "Sec2Command0",
    "Sec2Command1",
    "Sec2Response0",
    "Sec2Response1",
    "SessionMessage",
    "decode_session",
    "encode_session",
]

MAX_USERNAME = 255
MAX_PUBLIC = 384
MAX_SALT = 64
PROOF_SIZE = 64
NONCE_SIZE = 12

SEC2 = 2
SCHEMES = {0: 10, 1: 11, SEC2: 12}
COMMAND0, RESPONSE0, COMMAND1, RESPONSE1 = 20, 21, 22, 23


@dataclass(frozen=True, slots=True)
class OtherScheme:
    """A well-formed message of a security scheme that we do not speak here."""

    version: int


@dataclass(frozen=True, slots=True)
class Sec2Command0:
    """Configurator opens: its user name and public value A."""

    username: bytes
    client_public: bytes


@dataclass(frozen=True, slots=True)
class Sec2Response0:
    """Device answers: public value B and the verifier's salt; both empty when ``status`` is not success."""

    device_public: bytes
    salt: bytes
    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class Sec2Command1:
    """Configurator proves that it knows the code."""

    client_proof: bytes


@dataclass(frozen=True, slots=True)
class Sec2Response1:
    """Device proves that it holds the verifier and gives the first nonce; both empty without success."""

    device_proof: bytes
    nonce: bytes
    status: Status = Status.SUCCESS


Sec2Message = Sec2Command0 | Sec2Response0 | Sec2Command1 | Sec2Response1
SessionMessage = Sec2Message | OtherScheme


def encode_session(message: Sec2Message) -> bytes:
    """Write a ``SessionData``."""
    msg, body = _encode_sec2(message)
    inner = put_uint(1, msg - COMMAND0) + put_message(msg, body)
    return put_uint(2, SEC2) + put_message(SCHEMES[SEC2], inner)


def decode_session(data: bytes) -> SessionMessage:
    """Read a ``SessionData``; raise `MalformedMessage` where version, body and command disagree."""
    outer = parse(data, most=MAX_MESSAGE)
    version = outer.uint(2, most=SEC2)
    for other, number in SCHEMES.items():
        if outer.has(number) != (other == version):
            raise MalformedMessage(f"security scheme {version} with the body of another scheme or none")
    inner = outer.message(SCHEMES[version])
    if version != SEC2:
        return OtherScheme(version)
    return _decode_sec2(inner)


def _encode_sec2(message: Sec2Message) -> tuple[int, bytes]:
    match message:
        case Sec2Command0():
            return COMMAND0, put_octets(1, message.username) + put_octets(2, message.client_public)
        case Sec2Response0():
            parts = put_octets(2, message.device_public) + put_octets(3, message.salt)
            return RESPONSE0, put_uint(1, message.status) + parts
        case Sec2Command1():
            return COMMAND1, put_octets(1, message.client_proof)
        case Sec2Response1():
            parts = put_octets(2, message.device_proof) + put_octets(3, message.nonce)
            return RESPONSE1, put_uint(1, message.status) + parts
        case _:
            assert_never(message)


def _decode_sec2(inner: Fields) -> Sec2Message:
    chosen = COMMAND0 + inner.uint(1, most=3)
    for number in (COMMAND0, RESPONSE0, COMMAND1, RESPONSE1):
        if inner.has(number) and number != chosen:
            raise MalformedMessage(f"handshake message {chosen - COMMAND0} carries the body of another")
    body = inner.message(chosen)
    if chosen == COMMAND0:
        return Sec2Command0(_some(body, 1, MAX_USERNAME), _some(body, 2, MAX_PUBLIC))
    if chosen == COMMAND1:
        return Sec2Command1(_exactly(body, 1, PROOF_SIZE))
    status = read_enum(body, 1, Status)
    if status is not Status.SUCCESS:
        return Sec2Response0(b"", b"", status) if chosen == RESPONSE0 else Sec2Response1(b"", b"", status)
    if chosen == RESPONSE0:
        return Sec2Response0(_some(body, 2, MAX_PUBLIC), _some(body, 3, MAX_SALT))
    return Sec2Response1(_exactly(body, 2, PROOF_SIZE), _exactly(body, 3, NONCE_SIZE))


def _some(body: Fields, number: int, most: int) -> bytes:
    value = body.octets(number, most=most)
    if not value:
        raise MalformedMessage(f"field {number} of the handshake is empty")
    return value


def _exactly(body: Fields, number: int, size: int) -> bytes:
    value = body.octets(number, most=size)
    if len(value) != size:
        raise MalformedMessage(f"field {number} of the handshake has {len(value)} bytes, not {size}")
    return value
