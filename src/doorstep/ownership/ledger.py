"""The custody ledger: entries that only grow, each naming its predecessor's hash, each signed.

An entry is the deterministic CBOR of ``{number, at_us, kind, device, actor, detail, previous}``. Its digest
is SHA-256 of these bytes, and its actor's key signs the digest: the key of the organisation that the actor
acts for, and the platform's for all others. `docs/spec/ledger.md` is normative.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.ownership.actors import organisation_of
from doorstep.ownership.kinds import DETAIL, Kind
from doorstep.wire import cbor

__all__ = [
    "BODY_CAP",
    "GENESIS",
    "TEXT_CAP",
    "Entry",
    "Event",
    "Head",
    "Kind",
    "SealedEntry",
    "Signers",
    "build",
    "parse_head",
]

BODY_CAP: Final = 2048
"""Bytes of one entry."""

TEXT_CAP: Final = 200
"""Characters of one text inside an entry."""

_ENTRY_KEYS: Final = frozenset({"number", "at_us", "kind", "device", "actor", "detail", "previous"})
_DIGEST_BYTES: Final = 32

Signers = Callable[[int | None], Callable[[bytes], bytes]]
"""Returns what signs a digest for an organisation, or for the platform."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and belongs into the ledger.

    It names organisations and actors by number and never a person: an entry can't be forgotten later.
    """

    kind: Kind
    device: str
    actor: str
    """As `doorstep.ownership.actors` writes it."""
    detail: Mapping[str, str | int]

    def __post_init__(self) -> None:
        """Refuse a detail that this kind does not have, texts over the cap, and an actor that is none."""
        if self.detail.keys() != DETAIL[self.kind]:
            raise MisuseError(f"a ledger entry {self.kind} says {sorted(DETAIL[self.kind])}, nothing else")
        if bool(self.device) == (self.kind is Kind.KEY_ADDED):
            raise MisuseError("a ledger entry is about one device, and one that adds a key about none")
        organisation_of(self.actor)
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


def build(head: Head, events: Iterable[Event], at_us: int, signers: Signers) -> Iterator[SealedEntry]:
    """Chain events behind ``head``, all at one time, each signed by its actor's key."""
    for event in events:
        body = Entry(head.number + 1, at_us, event, head.digest).to_body()
        head = Head(head.number + 1, hashlib.sha256(body).digest())
        yield SealedEntry(head.number, body, head.digest, signers(organisation_of(event.actor))(head.digest))


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
