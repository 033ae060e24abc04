"""The two encodings of a sealed message, and the way between them (docs/spec/sealed.md section 4).

``compact`` is the RFC 8613 section 6.1 option value behind a length byte, then the ciphertext.
``full`` is a tagged COSE_Encrypt0 (RFC 9052 section 5.2). The first byte tells them apart. Both carry
the same ciphertext, so converting needs no key.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final, NamedTuple

from doorstep.errors import MalformedMessage
from doorstep.identity.ids import KID_LENGTH
from doorstep.messaging.errors import MalformedEnvelope, RejectReason
from doorstep.messaging.keys import MAX_EPOCH, SERVER_ID, SUITE, Suite, shortest
from doorstep.messaging.variant import RATCHET_8, Variant
from doorstep.wire import cbor

__all__ = [
    "MAX_CHANNEL",
    "MAX_MESSAGE",
    "MAX_PLAINTEXT",
    "MAX_SEQUENCE",
    "Envelope",
    "aad",
    "aads",
    "build_compact",
    "build_full",
    "compact_frame",
    "parse",
    "parse_session",
    "protected",
]

MAX_PLAINTEXT: Final = 4_096  # bytes sealed in one message
MAX_MESSAGE: Final = 4_160  # bytes of either encoding: the plaintext and at most 64 around it
MAX_CHANNEL: Final = 64  # bytes of a channel name
MAX_SEQUENCE: Final = (1 << 16) - 1  # the last sequence number of an epoch

_COSE_ENCRYPT0: Final = 16  # CBOR tag, RFC 9052 section 2
_ALG, _KID, _PARTIAL_IV, _KID_CONTEXT = (
    1,
    4,
    6,
    10,
)  # RFC 9052 section 3.1, RFC 8613 section 5.1
_FULL_START: Final = b"\xd0"  # the tag's byte: no compact header is that long

_FLAG_CONTEXT: Final = 0x10  # flag bits of RFC 8613 section 6.1
_FLAG_KID: Final = 0x08
_SEQUENCE_WIDTHS: Final = 0x07
_FIXED_FLAGS: Final = 0xFF ^ _FLAG_KID ^ _SEQUENCE_WIDTHS
_MIN_HEADER: Final = 5  # bytes: length, flags, and one each of sequence number, epoch length and epoch


class Envelope(NamedTuple):
    """A sealed message, taken apart but not opened; ``ciphertext`` ends with the tag."""

    epoch: int
    sequence: int
    kid: bytes | None  # None: left out, the carrier names the sender
    ciphertext: bytes


def protected(suite: Suite) -> bytes:
    """Return the protected header: the algorithm and nothing else."""
    return cbor.encode({_ALG: suite.cose_id})


def aad(channel: bytes, suite: Suite = SUITE) -> bytes:
    """Return the Enc_structure (RFC 9052 section 5.3) that binds a message to ``channel``."""
    return aads(suite)(channel)


@cache
def aads(suite: Suite) -> Callable[[bytes], bytes]:
    """Return `aad` for one suite, remembering: to be kept by whoever opens many messages."""
    header = protected(suite)

    @lru_cache(maxsize=64)
    def made(channel: bytes) -> bytes:
        if not 0 < len(channel) <= MAX_CHANNEL:
            raise MalformedMessage(f"a channel name has 1 to {MAX_CHANNEL} bytes, not {len(channel)}")
        return cbor.encode(["Encrypt0", header, channel])

    return made


def parse(message: bytes, variant: Variant = RATCHET_8) -> Envelope:
    """Take either encoding apart; raises MalformedEnvelope for all that the builders do not make."""
    return parse_session(message, variant)[0]


def parse_session(message: bytes, variant: Variant) -> tuple[Envelope, bytes]:
    """Take a message apart, and the session that a static device writes behind the epoch; see `parse`."""
    if len(message) > MAX_MESSAGE:
        raise MalformedEnvelope(
            RejectReason.OVERSIZE, f"a sealed message has at most {MAX_MESSAGE} bytes, not {len(message)}"
        )
    if message[:1] == _FULL_START:
        return _parse_full(message, variant)
    return _parse_compact(message, variant)


def compact_frame(epoch: int) -> tuple[bytes, bytes]:
    """Return what stands before and after a two-byte sequence number in compact messages without kid."""
    whole = build_compact(Envelope(epoch, MAX_SEQUENCE, None, b""))
    return whole[:2], whole[4:]


def build_compact(envelope: Envelope, session: bytes = b"") -> bytes:
    """Return the compact encoding; the kid is inside unless it is None."""
    sequence, context = shortest(envelope.sequence), shortest(envelope.epoch) + session
    flags = _FLAG_CONTEXT | len(sequence)
    option = sequence + bytes((len(context),)) + context
    if envelope.kid is not None:
        flags |= _FLAG_KID
        option += envelope.kid
    return bytes((1 + len(option), flags)) + option + envelope.ciphertext


def build_full(envelope: Envelope, kid: bytes, suite: Suite = SUITE, session: bytes = b"") -> bytes:
    """Return the full encoding; ``kid`` is the sender's, known from the carrier if not inside."""
    unprotected = {
        _KID: kid,
        _PARTIAL_IV: shortest(envelope.sequence),
        _KID_CONTEXT: shortest(envelope.epoch) + session,
    }
    return cbor.encode(cbor.Tag(_COSE_ENCRYPT0, [protected(suite), unprotected, envelope.ciphertext]))


def _parse_compact(message: bytes, variant: Variant) -> tuple[Envelope, bytes]:
    end = message[0] + 1 if message else 0
    if end < _MIN_HEADER or len(message) < end + variant.suite.tag_length:
        raise _malformed("the header or tag is cut short")
    flags = message[1]
    width = flags & _SEQUENCE_WIDTHS
    context = 3 + width  # where the epoch starts: behind length, flags, sequence number and its own length
    if flags & _FIXED_FLAGS != _FLAG_CONTEXT or context > end:
        raise _malformed("the flags are not those of this profile")
    kid = context + message[context - 1]
    if kid > end:
        raise _malformed("the epoch reaches beyond the header")
    sequence = _number(message[2 : 2 + width], MAX_SEQUENCE)
    epoch, session = _context(message[context:kid], variant)
    if flags & _FLAG_KID:
        return Envelope(epoch, sequence, _checked_kid(message[kid:end]), message[end:]), session
    if kid != end:
        raise _malformed("bytes follow the epoch in a header without kid")
    return Envelope(epoch, sequence, None, message[end:]), session


def _parse_full(message: bytes, variant: Variant) -> tuple[Envelope, bytes]:
    try:
        outer = cbor.decode(message, max_bytes=MAX_MESSAGE)
    except MalformedMessage as error:
        raise _malformed(error.message) from None
    match outer:
        case cbor.Tag(
            16,
            [bytes(header), {4: bytes(kid), 6: bytes(sequence), 10: bytes(context), **rest}, bytes(sealed)],
        ):
            pass
        case _:
            raise _malformed("this is no COSE_Encrypt0 with kid, Partial IV and kid context")
    if header != protected(variant.suite) or rest or len(sealed) < variant.suite.tag_length:
        raise _malformed("algorithm, headers or tag length are not those of this profile")
    epoch, session = _context(context, variant)
    return Envelope(epoch, _number(sequence, MAX_SEQUENCE), _checked_kid(kid), sealed), session


def _context(data: bytes, variant: Variant) -> tuple[int, bytes]:
    """Return epoch and session of a kid context."""
    end = max(0, len(data) - variant.session_length)
    return _number(data[:end], MAX_EPOCH), data[end:]


def _number(data: bytes, limit: int) -> int:
    number = int.from_bytes(data, "big")
    if number > limit or not data or (data[0] == 0 and len(data) > 1):
        raise _malformed("a number is not in its shortest form or beyond its limit")
    return number


def _checked_kid(kid: bytes) -> bytes:
    if len(kid) != KID_LENGTH and kid != SERVER_ID:
        raise _malformed(f"a kid has {KID_LENGTH} bytes, or none for the platform, not {len(kid)}")
    return kid


def _malformed(message: str) -> MalformedEnvelope:
    return MalformedEnvelope(RejectReason.MALFORMED, f"not a sealed message: {message}")
