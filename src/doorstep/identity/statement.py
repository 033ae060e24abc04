"""The device statement: what a device says to the platform over its factory key's signature.

A COSE_Sign1 message (RFC 9052 §4.2) with ES256, whose payload is a deterministic CBOR map:

```
{"purpose": text, "device": text, "nonce": bytes, ? "token": text, ? "csr": bytes}
```

The external data `STATEMENT_CONTEXT` is signed as well, so that no signature made for something else by the
same key is a statement. `docs/spec/statement.md` is the normative text.
"""

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed
from doorstep.identity.ids import check_device_id
from doorstep.wire import cbor

__all__ = [
    "CSR_CAP",
    "NONCE_LENGTHS",
    "STATEMENT_CAP",
    "STATEMENT_CONTEXT",
    "TOKEN_CAP",
    "MalformedStatement",
    "Purpose",
    "Signer",
    "Statement",
    "StatementRefused",
    "claimed_device",
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

Signer = Callable[[bytes], bytes]
"""Signs a message with ES256 and returns r‖s, 64 bytes: a key in memory, or a secure element."""

_T = TypeVar("_T", str, bytes)
_COSE_SIGN1: Final = 18
_PROTECTED: Final = cbor.encode({1: -7})
"""alg (1) is ES256 (-7)."""
_TOKEN: Final = re.compile(r"[!-~]{1,128}")
_REQUIRED: Final = frozenset({"purpose", "device", "nonce"})
_KNOWN: Final = _REQUIRED | {"token", "csr"}


class Purpose(enum.Enum):
    """What the device asks for; a statement for one purpose is worthless for another."""

    REGISTER = "register"
    """Put me into the account that issued the token."""
    RENEW = "renew"
    """Give me a new operational certificate."""


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

    def __post_init__(self) -> None:
        """Refuse what could not be decoded again."""
        check_device_id(self.device)
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
    payload = _payload(statement)
    signature = signer(_to_be_signed(payload))
    if len(signature) != 64:  # noqa: PLR2004 - ES256
        raise MisuseError(f"the signer returned {len(signature)} bytes; ES256 has 64: r and s, not DER")
    return cbor.encode(cbor.Tag(_COSE_SIGN1, [_PROTECTED, {}, payload, signature]))


def claimed_device(data: bytes) -> str:
    """Return the device id that a statement names, to look its key up. Nothing is verified yet."""
    payload, _ = _opened(data)
    return _statement(payload).device


def verify(data: bytes, public_key: PublicKey, *, purpose: Purpose) -> Statement:
    """Check signature, then form, then purpose.

    Raises `MalformedStatement`, `SignatureRefused` or, for another purpose, `StatementRefused`. Whether nonce
    and token are fresh is for the caller to decide, who has the memory.
    """
    payload, signature = _opened(data)
    public_key.verify(signature, _to_be_signed(payload))
    statement = _statement(payload)
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
    if statement.token is not None:
        fields["token"] = statement.token
    if statement.csr is not None:
        fields["csr"] = statement.csr
    return cbor.encode(fields)


def _to_be_signed(payload: bytes) -> bytes:
    """Build the Sig_structure (RFC 9052 §4.4)."""
    return cbor.encode(["Signature1", _PROTECTED, STATEMENT_CONTEXT, payload])


def _opened(data: bytes) -> tuple[bytes, bytes]:
    match cbor.decode(data, max_bytes=STATEMENT_CAP):
        case cbor.Tag(
            number=18, value=[bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]
        ):
            if protected != _PROTECTED or unprotected:
                raise MalformedStatement("a statement is signed with ES256 and has no other header")
            return payload, signature
        case _:
            raise MalformedStatement("this is not a tagged COSE_Sign1 message")


def _statement(payload: bytes) -> Statement:
    fields = cbor.decode(payload, max_bytes=STATEMENT_CAP)
    if not isinstance(fields, dict) or not _REQUIRED <= fields.keys() <= _KNOWN:
        raise MalformedStatement(
            "a statement has purpose, device, nonce, perhaps token and csr, and nothing else"
        )
    match fields:
        case {"purpose": str(purpose), "device": str(device), "nonce": bytes(nonce)}:
            return Statement(
                _purpose(purpose),
                device,
                nonce,
                token=_optional(fields, "token", str),
                csr=_optional(fields, "csr", bytes),
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
