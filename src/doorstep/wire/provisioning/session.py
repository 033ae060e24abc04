"""The ``prov-session`` messages: the handshakes of security schemes 0, 1 and 2."""

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
    "SEC1_PUBLIC_SIZE",
    "SEC1_RANDOM_SIZE",
    "Sec0Command",
    "Sec0Response",
    "Sec1Command0",
    "Sec1Command1",
    "Sec1Response0",
    "Sec1Response1",
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
SEC1_PUBLIC_SIZE = 32
SEC1_RANDOM_SIZE = 16

BODIES = {0: 10, 1: 11, 2: 12}
"""Field of each scheme's body."""
LAST_KIND = {0: 1, 1: 3, 2: 3}
COMMAND0, RESPONSE0, COMMAND1, RESPONSE1 = 20, 21, 22, 23


@dataclass(frozen=True, slots=True)
class Sec0Command:
    """Configurator opens a session without any protection."""


@dataclass(frozen=True, slots=True)
class Sec0Response:
    """Device agrees."""

    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class Sec1Command0:
    """Configurator opens: its X25519 public key."""

    client_public: bytes


@dataclass(frozen=True, slots=True)
class Sec1Response0:
    """Device answers: its X25519 public key and the first counter block; both empty without success."""

    device_public: bytes
    random: bytes
    status: Status = Status.SUCCESS


@dataclass(frozen=True, slots=True)
class Sec1Command1:
    """Configurator proves that it knows the code: the device's public key, encrypted."""

    client_proof: bytes


@dataclass(frozen=True, slots=True)
class Sec1Response1:
    """Device proves the same: the configurator's public key, encrypted; empty without success."""

    device_proof: bytes
    status: Status = Status.SUCCESS


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


Sec0Message = Sec0Command | Sec0Response
Sec1Message = Sec1Command0 | Sec1Response0 | Sec1Command1 | Sec1Response1
Sec2Message = Sec2Command0 | Sec2Response0 | Sec2Command1 | Sec2Response1
SessionMessage = Sec0Message | Sec1Message | Sec2Message


def encode_session(message: SessionMessage) -> bytes:
    """Write a ``SessionData``."""
    scheme, msg, body = _encode(message)
    inner = put_uint(1, msg - COMMAND0) + put_message(msg, body)
    return put_uint(2, scheme) + put_message(BODIES[scheme], inner)


def decode_session(data: bytes) -> SessionMessage:
    """Read a ``SessionData``; raise `MalformedMessage` where version, body and command disagree."""
    outer = parse(data, most=MAX_MESSAGE)
    scheme = outer.uint(2, most=max(BODIES))
    for other, number in BODIES.items():
        if outer.has(number) != (other == scheme):
            raise MalformedMessage(f"security scheme {scheme} with the body of another scheme or none")
    inner = outer.message(BODIES[scheme])
    chosen = COMMAND0 + inner.uint(1, most=LAST_KIND[scheme])
    for number in (COMMAND0, RESPONSE0, COMMAND1, RESPONSE1):
        if inner.has(number) and number != chosen:
            raise MalformedMessage(f"handshake message {chosen - COMMAND0} carries the body of another")
    return (_decode_sec0, _decode_sec1, _decode_sec2)[scheme](chosen, inner.message(chosen))


def _encode(message: SessionMessage) -> tuple[int, int, bytes]:
    match message:
        case Sec0Command():
            return 0, COMMAND0, b""
        case Sec0Response():
            return 0, RESPONSE0, put_uint(1, message.status)
        case Sec1Command0() | Sec1Response0() | Sec1Command1() | Sec1Response1():
            return 1, *_encode_sec1(message)
        case Sec2Command0() | Sec2Response0() | Sec2Command1() | Sec2Response1():
            return 2, *_encode_sec2(message)
        case _:
            assert_never(message)


def _encode_sec1(message: Sec1Message) -> tuple[int, bytes]:
    match message:
        case Sec1Command0():
            return COMMAND0, put_octets(1, message.client_public)
        case Sec1Response0():
            parts = put_octets(2, message.device_public) + put_octets(3, message.random)
            return RESPONSE0, put_uint(1, message.status) + parts
        case Sec1Command1():
            return COMMAND1, put_octets(2, message.client_proof)
        case Sec1Response1():
            return RESPONSE1, put_uint(1, message.status) + put_octets(3, message.device_proof)
        case _:
            assert_never(message)


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


def _decode_sec0(chosen: int, body: Fields) -> Sec0Message:
    return Sec0Command() if chosen == COMMAND0 else Sec0Response(read_enum(body, 1, Status))


def _decode_sec1(chosen: int, body: Fields) -> Sec1Message:
    if chosen == COMMAND0:
        return Sec1Command0(_exactly(body, 1, SEC1_PUBLIC_SIZE))
    if chosen == COMMAND1:
        return Sec1Command1(_exactly(body, 2, SEC1_PUBLIC_SIZE))
    status = read_enum(body, 1, Status)
    if status is not Status.SUCCESS:
        return Sec1Response0(b"", b"", status) if chosen == RESPONSE0 else Sec1Response1(b"", status)
    if chosen == RESPONSE0:
        return Sec1Response0(_exactly(body, 2, SEC1_PUBLIC_SIZE), _exactly(body, 3, SEC1_RANDOM_SIZE))
    return Sec1Response1(_exactly(body, 3, SEC1_PUBLIC_SIZE))


def _decode_sec2(chosen: int, body: Fields) -> Sec2Message:
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
