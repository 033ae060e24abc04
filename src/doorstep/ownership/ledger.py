"""The custody ledger: entries that only grow, each naming its predecessor's hash, each signed.

An entry is the deterministic CBOR of ``{number, at_us, kind, device, actor, detail, previous}``. Its digest
is SHA-256 of these bytes, and the platform's ledger key signs the digest. `docs/spec/ledger.md` is normative.
"""

import enum
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed
from doorstep.wire import cbor

__all__ = [
    "BODY_CAP",
    "GENESIS",
    "TEXT_CAP",
    "Entry",
    "Event",
    "Head",
    "Kind",
    "LedgerBroken",
    "SealedEntry",
    "Signer",
    "Verifier",
    "build",
    "follow",
    "parse_head",
    "verify",
]

BODY_CAP: Final = 2048
"""Bytes of one entry."""

TEXT_CAP: Final = 200
"""Characters of one text inside an entry."""

_ENTRY_KEYS: Final = frozenset({"number", "at_us", "kind", "device", "actor", "detail", "previous"})
_DIGEST_BYTES: Final = 32

Signer = Callable[[bytes], bytes]
"""Signs a digest."""

Verifier = Callable[[bytes, bytes], None]
"""Takes signature and digest; raises VerificationFailed when they do not belong together."""


class LedgerBroken(VerificationFailed):
    """The ledger is not what was written: an entry was changed, moved, removed or added."""


class Kind(enum.StrEnum):
    """What happened to a device."""

    MADE = "made"
    STOCKED = "stocked"
    DISPATCHED = "dispatched"
    SOLD = "sold"
    ONBOARDED = "onboarded"
    OWNED = "owned"
    CLAIM_HELD = "claim_held"
    CLAIM_DISPUTED = "claim_disputed"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    """The block-list no longer has it."""
    SUSPECTED = "suspected"
    QUARANTINED = "quarantined"
    CLEARED = "cleared"
    """A suspicion or a quarantine ended well."""
    TRANSFERRED = "transferred"
    RETURNED = "returned"
    SWAPPED = "swapped"
    SCRAPPED = "scrapped"
    SETUP_RELEASED = "setup_released"
    """The owner allowed to set the device up again."""
    CODE_RELEASED = "code_released"
    """The label's code was given to an organisation to which the device attested itself."""


_DETAIL: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.MADE: frozenset({"product", "batch", "serial"}),
    Kind.STOCKED: frozenset(),
    Kind.DISPATCHED: frozenset({"order", "organisation"}),
    Kind.SOLD: frozenset({"order"}),
    Kind.ONBOARDED: frozenset(),
    Kind.OWNED: frozenset({"organisation", "period", "evidence", "policy"}),
    Kind.CLAIM_HELD: frozenset({"organisation", "evidence", "policy"}),
    Kind.CLAIM_DISPUTED: frozenset({"organisation", "evidence", "policy"}),
    Kind.BLOCKED: frozenset({"reason"}),
    Kind.UNBLOCKED: frozenset({"reason"}),
    Kind.SUSPECTED: frozenset({"reason"}),
    Kind.QUARANTINED: frozenset({"reason"}),
    Kind.CLEARED: frozenset({"reason"}),
    Kind.TRANSFERRED: frozenset({"organisation"}),
    Kind.RETURNED: frozenset({"reason"}),
    Kind.SWAPPED: frozenset({"replacement"}),
    Kind.SCRAPPED: frozenset({"reason"}),
    Kind.SETUP_RELEASED: frozenset(),
    Kind.CODE_RELEASED: frozenset({"organisation"}),
}
"""What each kind says besides device and actor: exactly these, nothing more."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and belongs into the ledger.

    It names organisations and actors by number and never a person: an entry can't be forgotten later.
    """

    kind: Kind
    device: str
    actor: str
    """``device:<id>``, ``user:<number>``, ``key:<prefix>``, ``operator`` or ``platform``."""
    detail: Mapping[str, str | int]

    def __post_init__(self) -> None:
        """Refuse a detail that this kind does not have, and texts over the cap."""
        if self.detail.keys() != _DETAIL[self.kind]:
            raise MisuseError(f"a ledger entry {self.kind} says {sorted(_DETAIL[self.kind])}, nothing else")
        texts = [self.actor, *(value for value in self.detail.values() if isinstance(value, str))]
        if any(len(text) > TEXT_CAP for text in texts):
            raise MisuseError(f"a text of a ledger entry has at most {TEXT_CAP} characters")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain, or an anchor: somebody who keeps it notices when entries up to it vanish."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"


GENESIS: Final = Head(0, bytes(_DIGEST_BYTES))
"""Before the first entry."""


def parse_head(text: str) -> Head:
    """Read an anchor as `str(Head)` writes it; raise MalformedMessage."""
    number, _, digest = text.partition(":")
    try:
        head = Head(int(number), bytes.fromhex(digest))
    except ValueError:
        head = GENESIS
    if head.number < 1 or len(head.digest) != _DIGEST_BYTES:
        raise MalformedMessage(
            "this is not an anchor of the ledger",
            next_step="Give NUMBER:DIGEST as `ledger verify` prints it.",
        )
    return head


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry as it is stored and exported."""

    number: int
    body: bytes
    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A decoded entry."""

    number: int
    at_us: int
    event: Event
    previous: bytes

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Decode and check everything once; raise MalformedMessage."""
        value = cbor.decode(body, max_bytes=BODY_CAP)
        if not isinstance(value, dict) or value.keys() != _ENTRY_KEYS:
            raise MalformedMessage("a ledger entry is a map with exactly its seven keys")
        match value:
            case {
                "number": int(number),
                "at_us": int(at_us),
                "kind": str(kind),
                "device": str(device),
                "actor": str(actor),
                "detail": dict(detail),
                "previous": bytes(previous),
            }:
                return cls(number, at_us, _event(kind, device, actor, detail), previous)
            case _:
                raise MalformedMessage("a ledger entry has a value of the wrong type")

    def to_body(self) -> bytes:
        """Encode; the one byte form that is hashed."""
        return cbor.encode(
            {
                "number": self.number,
                "at_us": self.at_us,
                "kind": str(self.event.kind),
                "device": self.event.device,
                "actor": self.event.actor,
                "detail": dict(self.event.detail),
                "previous": self.previous,
            }
        )


def build(head: Head, events: Iterable[Event], at_us: int, sign: Signer) -> Iterator[SealedEntry]:
    """Chain events behind ``head``, all at one time."""
    for event in events:
        body = Entry(head.number + 1, at_us, event, head.digest).to_body()
        head = Head(head.number + 1, hashlib.sha256(body).digest())
        yield SealedEntry(head.number, body, head.digest, sign(head.digest))


def follow(head: Head, sealed: SealedEntry, verify_signature: Verifier) -> Head:
    """Check that an entry is the next one and genuine, and return the new head; raise LedgerBroken.

    In this order: its number, its digest, its signature, its form, its own number, its predecessor.
    """
    where = f"ledger entry {head.number + 1}"
    if sealed.number != head.number + 1:
        raise LedgerBroken(f"{where} is missing: entry {sealed.number} follows {head.number}")
    if hashlib.sha256(sealed.body).digest() != sealed.digest:
        raise LedgerBroken(f"{where} was changed: its digest does not fit")
    try:
        verify_signature(sealed.signature, sealed.digest)
        entry = Entry.from_body(sealed.body)
    except VerificationFailed as error:
        raise LedgerBroken(f"{where} is not signed by this platform's ledger key") from error
    except MalformedMessage as error:
        raise LedgerBroken(f"{where} is not an entry: {error.message}") from error
    if entry.number != sealed.number:
        raise LedgerBroken(f"{where} was moved: it was written as number {entry.number}")
    if entry.previous != head.digest:
        raise LedgerBroken(f"{where} does not follow the entry before it")
    return Head(sealed.number, sealed.digest)


def verify(entries: Iterable[SealedEntry], verify_signature: Verifier, anchor: Head = GENESIS) -> Head:
    """Check a whole chain from its first entry, and that ``anchor`` stands in it; return its head."""
    head = GENESIS
    anchored = anchor == GENESIS
    for sealed in entries:
        head = follow(head, sealed, verify_signature)
        if head.number == anchor.number:
            anchored = head == anchor
    if not anchored:
        raise LedgerBroken(
            f"the ledger does not hold the anchored entry {anchor.number}; it ends at {head.number}",
            next_step="Entries were cut off or rewritten. Keep this state and restore a backup beside it.",
        )
    return head


def _event(kind: str, device: str, actor: str, detail: Mapping[int | str, cbor.Value]) -> Event:
    fields: dict[str, str | int] = {}
    for key, value in detail.items():
        if not isinstance(key, str) or isinstance(value, bool) or not isinstance(value, str | int):
            raise MalformedMessage("the detail of a ledger entry holds texts and numbers")
        fields[key] = value
    try:
        return Event(Kind(kind), device, actor, fields)
    except ValueError:
        raise MalformedMessage(f"{kind[:40]!a} is not a kind of ledger entry") from None
    except MisuseError as error:
        raise MalformedMessage(error.message) from error
