"""Signed documents that people keep: receipts of erasures and exports, certificates of scrapping.

A document is one JSON object with ``body``, ``key`` and ``signature``. The body is JSON text of its own, in
one form only (keys sorted, no blanks, ASCII), so that whoever verifies hashes the bytes that were signed.
`docs/spec/documents.md` is normative.
"""

import base64
import binascii
import enum
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed
from doorstep.wire import jsontext

__all__ = ["CONTEXT", "DOCUMENT_CAP", "FACT_CAP", "Document", "Paper", "digest_of", "read", "write"]

CONTEXT: Final = b"doorstep document 1\0"
"""Stands before the body in what is signed."""

DOCUMENT_CAP: Final = 8192
"""Bytes of one document."""

FACT_CAP: Final = 200
"""Characters of one text in it."""


class Paper(enum.StrEnum):
    """What a document says."""

    ERASURE = "erasure"
    """The readings of one ownership period are gone."""
    EXPORT = "export"
    """The readings of one ownership period were handed out, as a file with this hash."""
    SCRAPPING = "scrapping"
    """The device is gone for ever."""


@dataclass(frozen=True, slots=True)
class Document:
    """What is signed. It names organisations by number and no person, because it goes from hand to hand."""

    paper: Paper
    number: int
    device: str
    serial: str
    at_us: int
    facts: Mapping[str, str | int]

    def __post_init__(self) -> None:
        """Refuse what could not be read again."""
        texts = [self.device, self.serial, *self.facts, *self.facts.values()]
        if any(len(str(text)) > FACT_CAP for text in texts):
            raise MisuseError(f"a text of a document has at most {FACT_CAP} characters")

    def body(self) -> str:
        """Return its one form as text."""
        fields = {
            "paper": str(self.paper),
            "number": self.number,
            "device": self.device,
            "serial": self.serial,
            "at_us": self.at_us,
            "facts": dict(self.facts),
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def write(document: Document, public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Sign a document with an Ed25519 key; raise MisuseError for one over the cap."""
    body = document.body()
    signature = base64.b64encode(sign(CONTEXT + body.encode("ascii"))).decode("ascii")
    fields = {"body": body, "key": public_key.hex(), "signature": signature}
    text = json.dumps(fields, indent=1)
    if len(text) > DOCUMENT_CAP:
        raise MisuseError(f"a document has at most {DOCUMENT_CAP} bytes")
    return text


def read(text: str, public_key: bytes, verify: Callable[[bytes, bytes], None]) -> Document:
    """Return a document that the key signed; raise MalformedMessage or VerificationFailed.

    Checked in this order: form, key, signature, body. ``verify`` takes signature and message, and raises.
    """
    body, key, signature = _envelope(text)
    if key != public_key.hex():
        raise VerificationFailed(
            "this document is signed by another key",
            next_step="Compare its key with the one that the platform shows.",
        )
    verify(signature, CONTEXT + body)
    try:
        document = jsontext.decode(body, Document)
    except MisuseError as error:
        raise MalformedMessage(error.message) from error
    if document.body().encode("ascii") != body:
        raise MalformedMessage("the body of a document is not in its one form")
    return document


def digest_of(text: str) -> str:
    """Return the hex SHA-256 of a document's text, by which the ledger names it."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _envelope(text: str) -> tuple[bytes, str, bytes]:
    if len(text) > DOCUMENT_CAP:
        raise MalformedMessage(f"a document has at most {DOCUMENT_CAP} bytes")
    try:
        fields = jsontext.decode(text.encode("ascii"), dict[str, str])
        return (
            fields["body"].encode("ascii"),
            fields["key"],
            base64.b64decode(fields["signature"], validate=True),
        )
    except (KeyError, UnicodeEncodeError, binascii.Error) as error:
        raise MalformedMessage("a document has body, key and signature, in ASCII and base64") from error
