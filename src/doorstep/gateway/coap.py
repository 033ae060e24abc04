"""CoAP for children (docs/spec/gateway.md section 3): what a request asks for; repeats known. Pure."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from doorstep.errors import PeerError
from doorstep.wire.coap import Code, Kind, Message, Option, encode

__all__ = [
    "EXCHANGE_US",
    "MAX_EXCHANGES",
    "MAX_PAYLOAD",
    "Ask",
    "Exchanges",
    "Refused",
    "Send",
    "read_request",
    "reply_to",
    "reset_of",
]

MAX_PAYLOAD: Final = 1_024
"""Bytes of one message over CoAP; there is no block-wise transfer, because no reading needs it."""

MAX_EXCHANGES: Final = 4_096
"""Requests that are remembered to know their repeats; beyond, the oldest are forgotten early."""

EXCHANGE_US: Final = 247_000_000
"""EXCHANGE_LIFETIME (RFC 7252 section 4.8.2): a message id may be used anew after it."""

_REQUESTS: Final = range(1, 0x20)
_KNOWN: Final = frozenset({Option.URI_HOST, Option.URI_PORT, Option.URI_PATH, Option.ACCEPT})
_PROXY: Final = frozenset({Option.PROXY_URI, Option.PROXY_SCHEME})
_PATH_WORDS: Final = 4
_OCTETS: Final = b"\x2a"  # application/octet-stream, 42
_NO_DEVICE: Final = "/d/<device>/up/<channel> and /d/<device>/down/<channel> are served here"


@dataclass(frozen=True, slots=True)
class Send:
    """POST or PUT to ``/d/<device>/up/<channel>``."""

    device: str
    channel: str
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """GET of ``/d/<device>/down/<channel>``."""

    device: str
    channel: str


Request: TypeAlias = Send | Ask


class Refused(PeerError):
    """A request that is answered by an error code."""

    def __init__(self, code: Code, message: str) -> None:
        """Keep the ``code`` beside the words, which become the diagnostic payload."""
        super().__init__(message)
        self.code = code


class Exchanges:
    """Who asked what lately, and the answer: a repeat gets the same one and does nothing twice."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, int], tuple[int, bytes]] = OrderedDict()

    def begin(self, peer: object, message_id: int, now_us: int) -> bytes | None:
        """Note a new request and return None; return the answer to a repeat, empty while there is none."""
        while self._known and self._is_old(now_us):
            self._known.popitem(last=False)
        key = peer, message_id
        if key in self._known:
            return self._known[key][1]
        self._known[key] = (now_us, b"")
        if len(self._known) > MAX_EXCHANGES:
            self._known.popitem(last=False)
        return None

    def end(self, peer: object, message_id: int, answer: bytes) -> None:
        """Keep the answer for repeats."""
        key = peer, message_id
        if key in self._known:
            self._known[key] = (self._known[key][0], answer)

    def abandon(self, peer: object, message_id: int) -> None:
        """Forget a request that was not answered: its repeat is tried anew."""
        self._known.pop((peer, message_id), None)

    def _is_old(self, now_us: int) -> bool:
        return now_us - next(iter(self._known.values()))[0] >= EXCHANGE_US


def read_request(message: Message) -> Request:
    """Return what a request asks for; raises Refused with the code of its answer."""
    if message.code not in _REQUESTS:
        raise Refused(Code.BAD_REQUEST, "this is no request")
    _check_options(message)
    words = [value.decode("utf-8", "replace") for value in message.values(Option.URI_PATH)]
    if len(words) != _PATH_WORDS or words[0] != "d" or words[2] not in {"up", "down"}:
        raise Refused(Code.NOT_FOUND, _NO_DEVICE)
    if words[2] == "down":
        if message.code != Code.GET:
            raise Refused(Code.METHOD_NOT_ALLOWED, "what goes down is fetched by GET")
        return Ask(words[1], words[3])
    if message.code not in {Code.POST, Code.PUT}:
        raise Refused(Code.METHOD_NOT_ALLOWED, "messages go up by POST or PUT")
    return Send(words[1], words[3], message.payload)


def reply_to(request: Message, message_id: int, code: Code, payload: bytes = b"") -> bytes:
    """Return the answer: in the acknowledgement of a confirmable request, else as ``message_id``."""
    confirmable = request.kind is Kind.CONFIRMABLE
    kind = Kind.ACKNOWLEDGEMENT if confirmable else Kind.NON_CONFIRMABLE
    number = request.message_id if confirmable else message_id
    return encode(Message(kind, code, number, request.token, _options_of(code), payload))


def reset_of(message_id: int) -> bytes:
    """Return the answer to a ping, and to a confirmable message that can't be read."""
    return encode(Message(Kind.RESET, Code.EMPTY, message_id))


def _options_of(code: Code) -> tuple[tuple[int, bytes], ...]:
    match code:
        case Code.CONTENT:
            return ((Option.CONTENT_FORMAT, _OCTETS), (Option.MAX_AGE, b""))
        case Code.UNAVAILABLE:
            return ((Option.MAX_AGE, b"\x1e"),)  # try again in 30 s
        case Code.TOO_LARGE:
            return ((Option.SIZE1, MAX_PAYLOAD.to_bytes(2, "big")),)
        case _:
            return ()


def _check_options(message: Message) -> None:
    numbers = {number for number, _ in message.options}
    if numbers & _PROXY:
        raise Refused(Code.PROXYING_NOT_SUPPORTED, "this is no proxy")
    if Option.BLOCK1 in numbers or len(message.payload) > MAX_PAYLOAD:
        raise Refused(Code.TOO_LARGE, f"a message has at most {MAX_PAYLOAD} bytes, in one piece")
    unknown = sorted(number for number in numbers - _KNOWN if number % 2)
    if unknown:
        raise Refused(Code.BAD_OPTION, f"critical option {unknown[0]} is not understood")
