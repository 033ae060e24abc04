"""The custody ledger in plain words, for whoever reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.ownership.disclosure import concerns
from doorstep.ownership.ledger import Entry, Event, Kind
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.models import Device

__all__ = ["Chapter", "chapters", "is_open", "story_of"]

_WORDS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.MADE: ("Made in the factory.", "Batch {batch}."),
    Kind.STOCKED: ("Put into stock.", ""),
    Kind.DISPATCHED: ("Sent to a wholesaler.", "Order {order}."),
    Kind.RECEIVED: ("The wholesaler has it.", "Order {order}."),
    Kind.SOLD: ("Sold.", "Order {order}."),
    Kind.ONBOARDED: ("Joined a network and signed in for the first time.", ""),
    Kind.OWNED: ("Got an owner.", "Ownership period {period}. Evidence: {evidence}."),
    Kind.CLAIM_HELD: ("A registration was held for review.", "Evidence: {evidence}."),
    Kind.CLAIM_DISPUTED: ("Somebody else tried to register it. The owner stayed the owner.", ""),
    Kind.CASE_DECIDED: ("A dispute was decided.", "Dispute {case}: {outcome}. {reason}"),
    Kind.CASE_APPEALED: ("The decision of a dispute was appealed against.", "Dispute {case}."),
    Kind.LABEL_REPORTED: ("Somebody told the state of its label.", "It is {state}."),
    Kind.BLOCKED: ("Revoked; nothing of it is accepted any more.", "Reason: {reason}"),
    Kind.UNBLOCKED: ("Taken from the block-list.", "Reason: {reason}"),
    Kind.SUSPECTED: ("Something looked wrong.", "{reason}"),
    Kind.QUARANTINED: ("Put into quarantine; nothing of it is accepted.", "{reason}"),
    Kind.CLEARED: ("Found in order again.", "{reason}"),
    Kind.TRANSFER_OFFERED: ("Its owner offered to hand it over.", ""),
    Kind.TRANSFER_ENDED: ("It was not handed over.", "{reason}"),
    Kind.TRANSFERRED: ("Handed over to another owner.", ""),
    Kind.RELEASED: ("It has no owner any more.", "Reason: {reason}"),
    Kind.RETURNED: ("Sent back to the maker.", "Reason: {reason}"),
    Kind.SWAPPED: ("Swapped for another.", "That is {replacement}."),
    Kind.REPLACES: ("Took the place of another.", "That was {replaced}."),
    Kind.SCRAPPED: ("Scrapped.", "Reason: {reason}"),
    Kind.ERASED: ("Readings were erased.", "All of ownership period {period}."),
    Kind.EXPORTED: ("Readings were handed out.", "All of ownership period {period}."),
    Kind.SETUP_RELEASED: ("Its owner allowed to set it up again.", ""),
    Kind.CODE_RELEASED: ("Its set-up code was shown to an account that had it in hand.", ""),
    Kind.CORRECTED: ("An earlier entry no longer counts.", "That is entry {entry}. Reason: {reason}"),
    Kind.KEY_ADDED: ("A new key signs.", "It is the key of organisation {organisation}."),
}
"""What everybody may read who may know of an entry; then what those read besides whom it concerns."""
_NEWEST: Final = 50


@dataclass(frozen=True, slots=True)
class Chapter:
    """One entry of the ledger as people read it."""

    number: int
    at_us: int
    text: str
    digest: str
    device: Device | None


def story_of(device: Device, reader: Organisation) -> list[Chapter]:
    """Return what happened to a device, newest first."""
    return chapters(device.custody.select_related("device").order_by("-number")[:_NEWEST], reader)


def chapters(entries: Iterable[CustodyEntry], reader: Organisation) -> list[Chapter]:
    """Put entries into words. This shows the ledger; `doorstep ledger verify` proves it."""
    return [
        Chapter(row.number, row.at_us, _text(row, reader), bytes(row.digest).hex(), row.device)
        for row in entries
    ]


def is_open(event: Event, reader: Organisation) -> bool:
    """Say whether a reader may know actor and detail of an entry: the maker always, others what is theirs."""
    return reader.kind == OrganisationKind.MAKER or concerns(event, reader.pk)


def _text(row: CustodyEntry, reader: Organisation) -> str:
    try:
        event = Entry.from_body(bytes(row.body)).event
    except MalformedMessage:
        return "This entry is not readable. Verify the ledger."
    happened, more = _WORDS[event.kind]
    if not more or not is_open(event, reader):
        return happened
    told = dict(event.detail)
    if "evidence" in told:
        told["evidence"] = ", ".join(str(told["evidence"]).split()).replace("_", " ") or "none"
    return f"{happened} {more.format(**told)}"
