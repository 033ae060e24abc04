"""Whether a ledger is what was written: each entry in its place, and signed by its actor's key.

One key is known beforehand: the platform's. The keys of organisations stand in the ledger itself, in entries
that the platform signed. `docs/spec/ledger.md` is normative.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from doorstep.crypto.ed25519 import VerifyingKey
from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.ownership.actors import organisation_of
from doorstep.ownership.kinds import Kind
from doorstep.ownership.ledger import GENESIS, Entry, Event, Head, SealedEntry

__all__ = ["START", "Chain", "LedgerBroken", "follow", "verify"]


class LedgerBroken(VerificationFailed):
    """The ledger is not what was written: an entry was changed, moved, removed or added."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a ledger stands after the entries that were followed."""

    head: Head
    keys: Mapping[int, VerifyingKey] = field(default_factory=dict)
    """The key that signs for each organisation now."""


START: Final = Chain(GENESIS)
"""Before the first entry."""


def follow(chain: Chain, sealed: SealedEntry, platform: VerifyingKey) -> Chain:
    """Check that an entry is the next one and genuine, and return the new end; raise LedgerBroken.

    In this order: its number, its digest, its form, its own number, its predecessor, its signature.
    """
    head = chain.head
    where = f"ledger entry {head.number + 1}"
    if sealed.number != head.number + 1:
        raise LedgerBroken(f"{where} is missing: entry {sealed.number} follows {head.number}")
    if hashlib.sha256(sealed.body).digest() != sealed.digest:
        raise LedgerBroken(f"{where} was changed: its digest does not fit")
    try:
        entry = Entry.from_body(sealed.body)
    except MalformedMessage as error:
        raise LedgerBroken(f"{where} is not an entry: {error.message}") from error
    if entry.number != sealed.number:
        raise LedgerBroken(f"{where} was moved: it was written as number {entry.number}")
    if entry.previous != head.digest:
        raise LedgerBroken(f"{where} does not follow the entry before it")
    _check_signature(where, entry.event, sealed, chain.keys, platform)
    return Chain(Head(sealed.number, sealed.digest), _keys_after(where, entry.event, chain.keys))


def verify(entries: Iterable[SealedEntry], platform: VerifyingKey, anchor: Head = GENESIS) -> Head:
    """Check a whole chain from its first entry, and that ``anchor`` stands in it; return its head."""
    chain = START
    anchored = anchor == GENESIS
    for sealed in entries:
        chain = follow(chain, sealed, platform)
        if chain.head.number == anchor.number:
            anchored = chain.head == anchor
    if not anchored:
        raise LedgerBroken(
            f"the ledger does not hold the anchored entry {anchor.number}; it ends at {chain.head.number}",
            next_step="Entries were cut off or rewritten. Keep this state and restore a backup beside it.",
        )
    return chain.head


def _check_signature(
    where: str, event: Event, sealed: SealedEntry, keys: Mapping[int, VerifyingKey], platform: VerifyingKey
) -> None:
    organisation = organisation_of(event.actor)
    key = platform if organisation is None else keys.get(organisation)
    if key is None:
        raise LedgerBroken(f"{where} is by organisation {organisation}, of which no key was added")
    try:
        key.verify(sealed.signature, sealed.digest)
    except VerificationFailed as error:
        whose = "this platform's ledger key" if organisation is None else f"organisation {organisation}"
        raise LedgerBroken(f"{where} is not signed by {whose}") from error


def _keys_after(where: str, event: Event, keys: Mapping[int, VerifyingKey]) -> Mapping[int, VerifyingKey]:
    if event.kind is not Kind.KEY_ADDED:
        return keys
    organisation, written = event.detail["organisation"], event.detail["key"]
    if organisation_of(event.actor) is not None or not isinstance(organisation, int):
        raise LedgerBroken(f"{where} adds a key, which the platform alone can do")
    try:
        key = VerifyingKey.from_bytes(bytes.fromhex(str(written)))
    except (ValueError, MalformedMessage) as error:
        raise LedgerBroken(f"{where} adds a key that is none") from error
    return {**keys, organisation: key}
