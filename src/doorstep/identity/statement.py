"""The device statement: what a device says to the platform over its factory key's signature.

A COSE_Sign1 message (RFC 9052 §4.2) with ES256, whose payload is a deterministic CBOR map:

```
{"purpose": text, "device": text, "nonce": bytes, ? "token": text, ? "csr": bytes,
 ? "transcript": bytes, ? "presence": bool}
```

The external data `STATEMENT_CONTEXT` is signed as well, so that no signature made for something else by the
same key is a statement. `docs/spec/statement.md` is the normative text.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.identity import cose_sign1
from doorstep.identity.cose_sign1 import Signer
from doorstep.identity.ids import check_device_id
from doorstep.wire import cbor

__all__ = [
    "CSR_CAP",
    "NONCE_LENGTHS",
    "STATEMENT_CAP",
    "STATEMENT_CONTEXT",
    "TOKEN_CAP",
    "TRANSCRIPT_LENGTH",
    "MalformedStatement",
    "Purpose",
    "Signer",
    "Statement",
    "StatementRefused",
    "Unproved",
    "claimed_device",
    "read",
    "sign",
    "verify",
]

STATEMENT_CONTEXT: Final = b"doorstep device statement 1"
"""External authenticated data; the digit is the version of the format."""

STATEMENT_CAP: Final = 4096
"""Bytes of one statement."""

CSR_CAP: Final = 2048
"""Bytes of the signing request inside."""

TOKEN_CAP: Final = 128
"""Characters of a registration token."""

NONCE_LENGTHS: Final = range(16, 65)
"""Bytes of a nonce."""

TRANSCRIPT_LENGTH: Final = 32
"""Bytes of the hash of an onboarding conversation."""

_T = TypeVar("_T", str, bytes, bool)
_TOKEN: Final = re.compile(r"[!-~]{1,128}")
_REQUIRED: Final = frozenset({"purpose", "device", "nonce"})
_KNOWN: Final = _REQUIRED | {"token", "csr", "transcript", "presence"}


class Purpose(enum.Enum):
    """What the device asks for; a statement for one purpose is worthless for another."""

    REGISTER = "register"
    """Put me into the account that issued the token."""
    RENEW = "renew"
    """Give me a new operational certificate."""
    ATTEST = "attest"
    """I take part in this onboarding conversation; it moves nothing."""


class MalformedStatement(MalformedMessage):
    """Bytes are not a device statement."""


class StatementRefused(VerificationFailed):
    """A well-formed statement is not signed by this device, or says something else than it must."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a device says; ``token`` is a bearer secret until it is used."""

    purpose: Purpose
    device: str
    nonce: bytes
    token: str | None = field(default=None, repr=False)
    csr: bytes | None = field(default=None, repr=False)
    transcript: bytes | None = None
    """Hash of the conversation that is attested."""
    presence: bool | None = None
    """Whether somebody pressed the device's button for it, just now."""

    def __post_init__(self) -> None:
        """Refuse what could not be decoded again."""
        check_device_id(self.device)
        _check_parts(self)
        if len(self.nonce) not in NONCE_LENGTHS:
            raise MalformedStatement(
                f"a nonce has {NONCE_LENGTHS[0]} to {NONCE_LENGTHS[-1]} bytes, this has {len(self.nonce)}"
            )
        if self.token is not None and _TOKEN.fullmatch(self.token) is None:
            raise MalformedStatement(f"a token is 1 to {TOKEN_CAP} printable ASCII characters without blanks")
        if self.csr is not None and not 0 < len(self.csr) <= CSR_CAP:
            raise MalformedStatement(f"a signing request has 1 to {CSR_CAP} bytes, not {len(self.csr)}")


def sign(statement: Statement, signer: Signer) -> bytes:
    """Return the signed bytes to send."""
    return cose_sign1.sign(_payload(statement), STATEMENT_CONTEXT, signer)


@dataclass(frozen=True, slots=True)
class Unproved:
    """A well-formed statement whose signature nobody has checked yet."""

    _signed: cose_sign1.Signed = field(repr=False)
    _said: Statement

    @property
    def device(self) -> str:
        """The device id that it names, to look its key up."""
        return self._said.device

    def proved(self, public_key: PublicKey, *, purpose: Purpose) -> Statement:
        """Return what the device said; raise `SignatureRefused`, or `StatementRefused` for its purpose."""
        self._signed.verify(public_key, STATEMENT_CONTEXT)
        return _meant(self._said, purpose)


def read(data: bytes) -> Unproved:
    """Check the form alone; raise `MalformedStatement`."""
    signed = _read(data)
    return Unproved(signed, _statement(signed.payload))


def claimed_device(data: bytes) -> str:
    """Return the device id that a statement names. Nothing is verified yet."""
    return read(data).device


def verify(data: bytes, public_key: PublicKey, *, purpose: Purpose) -> Statement:
    """Check signature, then form, then purpose.

    Raises `MalformedStatement`, `SignatureRefused` or, for another purpose, `StatementRefused`. Whether nonce
    and token are fresh is for the caller to decide, who has the memory.
    """
    signed = _read(data)
    signed.verify(public_key, STATEMENT_CONTEXT)
    return _meant(_statement(signed.payload), purpose)


def _meant(statement: Statement, purpose: Purpose) -> Statement:
    if statement.purpose is not purpose:
        raise StatementRefused(
            f"device {statement.device} signed a statement to {statement.purpose.value}, "
            f"not to {purpose.value}"
        )
    return statement


def _payload(statement: Statement) -> bytes:
    fields: dict[str, cbor.Value] = {
        "purpose": statement.purpose.value,
        "device": statement.device,
        "nonce": statement.nonce,
    }
    more = {name: getattr(statement, name) for name in sorted(_KNOWN - _REQUIRED)}
    return cbor.encode(fields | {name: value for name, value in more.items() if value is not None})


def _read(data: bytes) -> cose_sign1.Signed:
    signed = cose_sign1.read(data, max_bytes=STATEMENT_CAP)
    if signed.unprotected:
        raise MalformedStatement("a statement has no other header than its algorithm")
    return signed


def _check_parts(said: Statement) -> None:
    """Check that an attestation is about a conversation and brings nothing else, and no other is."""
    attests = said.purpose is Purpose.ATTEST
    if attests != (said.transcript is not None) or attests != (said.presence is not None):
        raise MalformedStatement("transcript and presence belong to a statement to attest, and to no other")
    if attests and (said.token is not None or said.csr is not None):
        raise MalformedStatement("a statement to attest has neither token nor csr")
    if said.transcript is not None and len(said.transcript) != TRANSCRIPT_LENGTH:
        raise MalformedStatement(
            f"a transcript has {TRANSCRIPT_LENGTH} bytes, this has {len(said.transcript)}"
        )


def _statement(payload: bytes) -> Statement:
    fields = cbor.decode(payload, max_bytes=STATEMENT_CAP)
    if not isinstance(fields, dict) or not _REQUIRED <= fields.keys() <= _KNOWN:
        raise MalformedStatement(
            "a statement has purpose, device, nonce, perhaps token and csr or transcript and presence, "
            "and nothing else"
        )
    match fields:
        case {"purpose": str(purpose), "device": str(device), "nonce": bytes(nonce)}:
            return Statement(
                _purpose(purpose),
                device,
                nonce,
                token=_optional(fields, "token", str),
                csr=_optional(fields, "csr", bytes),
                transcript=_optional(fields, "transcript", bytes),
                presence=_optional(fields, "presence", bool),
            )
        case _:
            raise MalformedStatement("purpose and device are text, nonce is bytes")


def _purpose(text: str) -> Purpose:
    try:
        return Purpose(text)
    except ValueError as error:
        raise MalformedStatement(f"{text[:40]!a} is not a purpose of a statement") from error


def _optional(fields: Mapping[int | str, cbor.Value], key: str, kind: type[_T]) -> _T | None:
    if key not in fields:
        return None
    value = fields[key]
    if not isinstance(value, kind):
        raise MalformedStatement(f"the {key} of a statement is {kind.__name__}")
    return value
