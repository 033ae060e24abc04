"""COSE_Sign1 (RFC 9052 §4.2) with ES256, in the one form that Doorstep signs and takes.

``18([<< {1: -7} >>, unprotected, payload, signature])``; the external data is not sent, so that no signature
made for one use is anything in another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from doorstep.crypto.p256 import SIGNATURE_LENGTH, PublicKey
from doorstep.errors import MalformedMessage, MisuseError
from doorstep.wire import cbor

__all__ = ["Signed", "Signer", "read", "sign"]

Signer = Callable[[bytes], bytes]
"""Signs a message with ES256 and returns r‖s, 64 bytes: a key in memory, or a secure element."""

_TAG: Final = 18
_PROTECTED: Final = cbor.encode({1: -7})
"""alg (1) is ES256 (-7)."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A message that was read; ``payload`` may be looked at before `verify`, and not believed."""

    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    unprotected: Mapping[int | str, cbor.Value]

    def verify(self, key: PublicKey, context: bytes) -> None:
        """Raise SignatureRefused unless ``key`` signed the payload for this use."""
        key.verify(self.signature, _to_be_signed(context, self.payload))


def sign(
    payload: bytes, context: bytes, signer: Signer, unprotected: Mapping[int, cbor.Value] | None = None
) -> bytes:
    """Return the signed bytes to send."""
    signature = signer(_to_be_signed(context, payload))
    if len(signature) != SIGNATURE_LENGTH:
        raise MisuseError(
            f"the signer returned {len(signature)} bytes; ES256 has {SIGNATURE_LENGTH}: r and s, not DER"
        )
    return cbor.encode(cbor.Tag(_TAG, [_PROTECTED, unprotected or {}, payload, signature]))


def read(data: bytes, *, max_bytes: int) -> Signed:
    """Read a message; nothing is verified yet. Raises MalformedMessage."""
    match cbor.decode(data, max_bytes=max_bytes):
        case cbor.Tag(
            number=18, value=[bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]
        ) if protected == _PROTECTED:
            return Signed(payload, signature, unprotected)
        case _:
            raise MalformedMessage("this is not a tagged COSE_Sign1 message signed with ES256")


def _to_be_signed(context: bytes, payload: bytes) -> bytes:
    """Build the Sig_structure (RFC 9052 §4.4)."""
    return cbor.encode(["Signature1", _PROTECTED, context, payload])
