"""The audit trail: who did what, when, for whom; entries that only grow, chained and signed.

Each entry names the hash of the entry before it and the end of the custody ledger at that moment, so that
neither of the two can be cut or rewritten alone. What an entry says about people, the state before and after
and the address, is not in the chain: the chain holds a salted hash of it, so that it can be erased and the
chain still holds. `docs/spec/audit.md` is normative.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from doorstep.crypto.ed25519 import VerifyingKey
from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed
from doorstep.ownership.ledger import GENESIS, Head, SealedEntry
from doorstep.wire import cbor

__all__ = [
    "BODY_CAP",
    "DETAILS_CAP",
    "SALT_BYTES",
    "AuditBroken",
    "AuditEntry",
    "Details",
    "Record",
    "fitting",
    "seal",
    "verify",
]

BODY_CAP: Final = 1024
"""Bytes of one entry."""

DETAILS_CAP: Final = 8192
"""Bytes of what an entry says about before and after."""

SALT_BYTES: Final = 16
_FRAME_BYTES: Final = 512
"""Of the details, for the address, and for what holds the two maps together."""
_MORE: Final = "and more"
_TEXT_CAP: Final = 100
_DIGEST_BYTES: Final = 32
_KEYS: Final = frozenset(
    {"number", "at_us", "actor", "action", "way", "owner", "device", "details", "ledger", "previous"}
)
Value = str | int | bool | None


class AuditBroken(VerificationFailed):
    """The audit trail is not what was written."""


@dataclass(frozen=True, slots=True)
class Details:
    """What may name people, and so can be erased."""

    before: Mapping[str, Value]
    after: Mapping[str, Value]
    address: str
    """Where the request came from; empty when unknown."""

    def to_bytes(self) -> bytes:
        """Encode; the one byte form that is hashed. Raises MisuseError over the cap."""
        encoded = cbor.encode(
            {"before": _plain(self.before), "after": _plain(self.after), "address": self.address}
        )
        if len(encoded) > DETAILS_CAP:
            raise MisuseError(f"the details of an audit entry have at most {DETAILS_CAP} bytes")
        return encoded

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Self:
        """Decode; raise MalformedMessage."""
        match cbor.decode(encoded, max_bytes=DETAILS_CAP):
            case {"before": dict(before), "after": dict(after), "address": str(address)}:
                return cls(_values(before), _values(after), address)
            case _:
                raise MalformedMessage("the details of an audit entry hold before, after and address")


@dataclass(frozen=True, slots=True)
class Record:
    """One deed, without anything that can be erased."""

    actor: str
    """As `doorstep.ownership.actors` names them."""
    action: str
    """Name of the route."""
    way: str
    """``portal``, ``rest`` or ``command``; with ``-read`` when staff looked and changed nothing."""
    owner: int
    """Number of the organisation that it concerns; 0 for none."""
    device: str = ""
    """Device id, or empty."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A decoded entry."""

    number: int
    at_us: int
    record: Record
    details: bytes
    """SHA-256 of salt and details."""
    ledger: Head
    previous: bytes

    def to_body(self) -> bytes:
        """Encode; the one byte form that is hashed."""
        return cbor.encode(
            {
                "number": self.number,
                "at_us": self.at_us,
                "actor": self.record.actor[:_TEXT_CAP],
                "action": self.record.action[:_TEXT_CAP],
                "way": self.record.way,
                "owner": self.record.owner,
                "device": self.record.device,
                "details": self.details,
                "ledger": [self.ledger.number, self.ledger.digest],
                "previous": self.previous,
            }
        )

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Decode and check everything once; raise MalformedMessage."""
        value = cbor.decode(body, max_bytes=BODY_CAP)
        if not isinstance(value, dict) or value.keys() != _KEYS:
            raise MalformedMessage("an audit entry is a map with exactly its ten keys")
        match value:
            case {
                "number": int(number),
                "at_us": int(at_us),
                "actor": str(actor),
                "action": str(action),
                "way": str(way),
                "owner": int(owner),
                "device": str(device),
                "details": bytes(details),
                "ledger": [int(ledger), bytes(digest)],
                "previous": bytes(previous),
            } if len(details) == len(digest) == len(previous) == _DIGEST_BYTES:
                record = Record(actor, action, way, owner, device)
                return cls(number, at_us, record, details, Head(ledger, digest), previous)
            case _:
                raise MalformedMessage("an audit entry has a value of the wrong type")


def fitting(
    before: Mapping[str, Value], after: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Return what of the two fits into one entry, in its order; what does not is counted as ``and more``."""
    room, kept = DETAILS_CAP - _FRAME_BYTES, set[str]()
    names = list(dict.fromkeys([*before, *after]))
    for name in names:
        room -= sum(len(cbor.encode(_plain({name: side[name]}))) for side in (before, after) if name in side)
        if room < 0:
            break
        kept.add(name)
    told, now = ({name: side[name] for name in side if name in kept} for side in (before, after))
    return told, now | ({_MORE: len(names) - len(kept)} if len(kept) < len(names) else {})


def seal(  # noqa: PLR0913 - what an entry is made of
    head: Head,
    record: Record,
    details: bytes,
    at_us: int,
    *,
    ledger: Head,
    salt: bytes,
    sign: Callable[[bytes], bytes],
) -> SealedEntry:
    """Chain one record behind ``head``."""
    digest = hashlib.sha256(salt + details).digest()
    body = AuditEntry(head.number + 1, at_us, record, digest, ledger, head.digest).to_body()
    hashed = hashlib.sha256(body).digest()
    return SealedEntry(head.number + 1, body, hashed, sign(hashed))


def verify(
    entries: Iterable[tuple[SealedEntry, bytes | None]],
    key: VerifyingKey,
    ledger_digest: Callable[[int], bytes | None],
    anchor: Head = GENESIS,
) -> Head:
    """Check a whole trail from its first entry, and that ``anchor`` stands in it; return its head.

    Each entry comes with its salt and details, None when they were erased. ``ledger_digest`` tells the digest
    of a ledger entry by number. Raises AuditBroken.
    """
    head, anchored = GENESIS, anchor == GENESIS
    for sealed, details in entries:
        head = _follow(head, sealed, details, key, ledger_digest)
        anchored = anchored or head == anchor
    if not anchored:
        raise AuditBroken(
            f"the audit trail does not hold the anchored entry {anchor.number}; it ends at {head.number}",
            next_step="Entries were cut off or rewritten. Keep this state and restore a backup beside it.",
        )
    return head


def _follow(
    head: Head,
    sealed: SealedEntry,
    details: bytes | None,
    key: VerifyingKey,
    ledger_digest: Callable[[int], bytes | None],
) -> Head:
    where = f"audit entry {head.number + 1}"
    if sealed.number != head.number + 1:
        raise AuditBroken(f"{where} is missing: entry {sealed.number} follows {head.number}")
    if hashlib.sha256(sealed.body).digest() != sealed.digest:
        raise AuditBroken(f"{where} was changed: its digest does not fit")
    try:
        key.verify(sealed.signature, sealed.digest)
        entry = AuditEntry.from_body(sealed.body)
    except VerificationFailed as error:
        raise AuditBroken(f"{where} is not signed by this platform") from error
    except MalformedMessage as error:
        raise AuditBroken(f"{where} is not an entry: {error.message}") from error
    if (entry.number, entry.previous) != (sealed.number, head.digest):
        raise AuditBroken(f"{where} does not follow the entry before it")
    if details is not None and hashlib.sha256(details).digest() != entry.details:
        raise AuditBroken(f"{where} says something else about before and after than was written")
    if entry.ledger != GENESIS and ledger_digest(entry.ledger.number) != entry.ledger.digest:
        raise AuditBroken(
            f"{where} saw a ledger entry {entry.ledger.number} that is not there any more",
            next_step="The custody ledger was cut or rewritten. Keep this state and look for a backup.",
        )
    return Head(sealed.number, sealed.digest)


def _plain(values: Mapping[str, Value]) -> dict[int | str, cbor.Value]:
    return {name: value[:_TEXT_CAP] if isinstance(value, str) else value for name, value in values.items()}


def _values(values: Mapping[int | str, cbor.Value]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, str | int | bool | None):
            raise MalformedMessage("what an audit entry says is texts and numbers by name")
        found[name] = value
    return found
