"""Registration of a device that has no key but its root (docs/spec/registration.md)."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import msgspec

from doorstep.errors import MisuseError
from doorstep.messaging.errors import MalformedEnvelope, RejectReason
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.proof import Counter, Standing, open_proof
from doorstep.messaging.sealer import DeviceSealer
from doorstep.wire import jsontext

__all__ = [
    "MAX_REPLY",
    "MAX_REQUEST",
    "REASON_CAP",
    "REGISTER_CHANNEL",
    "OpenedRequest",
    "Place",
    "Reply",
    "Request",
    "open_reply",
    "open_request",
    "seal_reply",
    "seal_request",
]

REGISTER_CHANNEL: Final = b"register"
MAX_REQUEST: Final = 256  # bytes of a sealed request
MAX_REPLY: Final = 1_024  # bytes of a reply's plaintext
REASON_CAP: Final = 300  # bytes of a reply's reason

_VERSION: Final = b"v1"
_TOKEN: Final = re.compile(r"[!-~]{0,128}")


class Place(msgspec.Struct, frozen=True):
    """Where the plain listener is."""

    host: str
    port: int


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the platform decided; ``time`` is its clock in seconds since 1970."""

    status: Literal["bound", "held", "disputed", "refused"]
    time: int
    reason: str
    problem: str = ""
    """Name of the problem; with ``refused`` alone."""
    epoch: int | None = None
    """The first epoch that the device may use; with ``bound`` alone, as is ``mqtt``."""
    mqtt: Place | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a device asks: to be registered by its token, or without one how it stands."""

    token: str | None = field(default=None, repr=False)


class OpenedRequest(NamedTuple):
    """A genuine request, the counter to store before anything is done about it, and the way to reply."""

    counter: Counter
    request: Request
    exchange: Exchange


def seal_request(sealer: DeviceSealer, request: Request) -> tuple[bytes, Exchange]:
    """Return one attempt and what opens the reply to it; raises EpochExhausted."""
    token = request.token or ""
    if _TOKEN.fullmatch(token) is None:
        raise MisuseError("a token is 1 to 128 printable ASCII characters without blanks")
    return sealer.ask(REGISTER_CHANNEL, _VERSION + token.encode())


def open_request(kid: bytes, stands: Standing, message: bytes, now_us: int) -> OpenedRequest:
    """Open what the device ``kid`` sent; raises Rejected, and then nothing changed."""
    if len(message) > MAX_REQUEST:
        raise MalformedEnvelope(RejectReason.OVERSIZE, f"a request has at most {MAX_REQUEST} bytes")
    counter, content, exchange = open_proof(kid, stands, message, REGISTER_CHANNEL, now_us)
    return OpenedRequest(counter, _request(content), exchange)


def seal_reply(exchange: Exchange, reply: Reply) -> bytes:
    """Return the one reply to a request; its reason is cut to REASON_CAP bytes that can be printed."""
    printable = "".join(char for char in reply.reason if char.isprintable())
    reason = printable.encode()[:REASON_CAP].decode(errors="ignore")
    return exchange.seal_reply(msgspec.json.encode(msgspec.structs.replace(reply, reason=reason)))


def open_reply(exchange: Exchange, sealed: bytes) -> Reply:
    """Return what the platform answered; raises Rejected for a forged reply or one of another form."""
    if len(sealed) > MAX_REPLY + exchange.suite.tag_length:
        raise MalformedEnvelope(RejectReason.OVERSIZE, f"a reply has at most {MAX_REPLY} bytes")
    content = exchange.open_reply(sealed)
    try:
        reply = jsontext.decode(content, Reply)
    except jsontext.NotJson as error:
        raise MalformedEnvelope(RejectReason.BAD_PAYLOAD, f"the platform's reply: {error}") from error
    if (reply.status == "bound") != (reply.epoch is not None and reply.mqtt is not None):
        raise MalformedEnvelope(RejectReason.BAD_PAYLOAD, "epoch and mqtt belong to a reply that binds")
    return reply


def _request(content: bytes) -> Request:
    token = content[len(_VERSION) :].decode("latin-1")
    if not content.startswith(_VERSION) or _TOKEN.fullmatch(token) is None:
        raise MalformedEnvelope(RejectReason.BAD_PAYLOAD, "the request is of a version we do not know")
    return Request(token or None)
