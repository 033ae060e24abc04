"""The custody ledger in plain words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.ownership.ledger import Entry, Kind
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.models import Device

__all__ = ["Chapter", "chapters", "story_of"]

Detail = Mapping[str, str | int]

_WORDS: Final[Mapping[Kind, Callable[[Detail], str]]] = {
    Kind.MADE: lambda detail: f"Made in the factory, in batch {detail['batch']}.",
    Kind.STOCKED: lambda _: "Put into stock.",
    Kind.DISPATCHED: lambda detail: f"Sent to a wholesaler, order {detail['order']}.",
    Kind.RECEIVED: lambda _: "The wholesaler has it.",
    Kind.SOLD: lambda detail: f"Sold in order {detail['order']}.",
    Kind.ONBOARDED: lambda _: "Joined a network and signed in for the first time.",
    Kind.OWNED: lambda detail: f"Got {_which(detail)} owner. Evidence: {_evidence(detail)}.",
    Kind.CLAIM_HELD: lambda detail: f"A registration was held for review. Evidence: {_evidence(detail)}.",
    Kind.CLAIM_DISPUTED: lambda _: "Somebody else tried to register it. The owner stayed the owner.",
    Kind.CASE_DECIDED: lambda detail: f"Dispute {detail['case']}: {detail['outcome']}. {detail['reason']}",
    Kind.CASE_APPEALED: lambda detail: f"The decision of dispute {detail['case']} was appealed against.",
    Kind.LABEL_REPORTED: lambda detail: f"Its label was reported as {detail['state']}.",
    Kind.BLOCKED: lambda detail: f"Revoked; nothing of it is accepted any more. Reason: {detail['reason']}",
    Kind.UNBLOCKED: lambda detail: f"Taken from the block-list. Reason: {detail['reason']}",
    Kind.SUSPECTED: lambda detail: f"Something looked wrong. {detail['reason']}",
    Kind.QUARANTINED: lambda detail: f"Put into quarantine; nothing of it is accepted. {detail['reason']}",
    Kind.CLEARED: lambda detail: f"Found in order again. {detail['reason']}",
    Kind.TRANSFER_OFFERED: lambda _: "Its owner offered to hand it over.",
    Kind.TRANSFER_ENDED: lambda detail: f"It was not handed over. {detail['reason']}",
    Kind.TRANSFERRED: lambda _: "Handed over to another owner.",
    Kind.RELEASED: lambda detail: f"It has no owner any more. Reason: {detail['reason']}",
    Kind.RETURNED: lambda detail: f"Sent back to the maker. Reason: {detail['reason']}",
    Kind.SWAPPED: lambda detail: f"Swapped for {detail['replacement']}.",
    Kind.REPLACES: lambda detail: f"Took the place of {detail['replaced']}.",
    Kind.SCRAPPED: lambda detail: f"Scrapped. Reason: {detail['reason']}",
    Kind.ERASED: lambda detail: f"The readings of ownership period {detail['period']} were erased.",
    Kind.EXPORTED: lambda detail: f"The readings of ownership period {detail['period']} were handed out.",
    Kind.SETUP_RELEASED: lambda _: "Its owner allowed to set it up again.",
    Kind.CODE_RELEASED: lambda _: "Its set-up code was shown to an account that had it in hand.",
    Kind.CORRECTED: lambda detail: f"Entry {detail['entry']} no longer counts. Reason: {detail['reason']}",
    Kind.KEY_ADDED: lambda detail: f"Organisation {detail['organisation']} signs with a new key.",
}
_NEWEST: Final = 50


@dataclass(frozen=True, slots=True)
class Chapter:
    """One entry of the ledger as people read it."""

    number: int
    at_us: int
    text: str
    digest: str
    device: Device | None


def story_of(device: Device) -> list[Chapter]:
    """Return what happened to a device, newest first."""
    return chapters(device.custody.select_related("device").order_by("-number")[:_NEWEST])


def chapters(entries: Iterable[CustodyEntry]) -> list[Chapter]:
    """Put entries into words. This shows the ledger; `doorstep ledger verify` proves it."""
    return [
        Chapter(row.number, row.at_us, _text(row), bytes(row.digest).hex(), row.device) for row in entries
    ]


def _text(row: CustodyEntry) -> str:
    try:
        event = Entry.from_body(bytes(row.body)).event
    except MalformedMessage:
        return "This entry is not readable. Verify the ledger."
    return _WORDS[event.kind](event.detail)


def _which(detail: Detail) -> str:
    return "its first" if detail["period"] == 1 else f"a new ({detail['period']}.)"


def _evidence(detail: Detail) -> str:
    return ", ".join(str(detail["evidence"]).split()).replace("_", " ") or "none"
