"""The custody ledger in plain words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.models import Device

__all__ = ["Chapter", "chapters", "story_of"]

_WORDS: Final = {
    "made": "Made in the factory; its identity was created.",
    "stocked": "Put into stock.",
    "dispatched": "Sent to a wholesaler.",
    "sold": "Sold.",
    "onboarded": "Joined a Wi-Fi network and registered itself.",
    "owned": "Became the property of its owner here.",
    "bound": "Became the property of its owner here.",
    "renewed": "Renewed its certificate.",
    "held": "A registration was held for review.",
    "disputed": "Somebody else tried to register it; the owner stayed the owner.",
    "transferred": "Handed over to another owner.",
    "returned": "Returned.",
    "swapped": "Swapped for another device.",
    "scrapped": "Scrapped; it will never be accepted again.",
    "blocked": "Revoked: nothing of it is accepted any more.",
    "revoked": "Revoked: nothing of it is accepted any more.",
    "released": "Released by its owner.",
    "unblocked": "Accepted again.",
}
_NEWEST: Final = 50


@dataclass(frozen=True, slots=True)
class Chapter:
    """One entry of the ledger as people read it."""

    number: int
    at_us: int
    text: str
    kind: str
    digest: str
    device: Device | None


def story_of(device: Device) -> list[Chapter]:
    """Return what happened to a device, newest first."""
    return chapters(device.custody.order_by("-number")[:_NEWEST])


def chapters(entries: Iterable[CustodyEntry]) -> list[Chapter]:
    """Put entries into words; a kind without words of its own shows its name."""
    return [
        Chapter(
            entry.number,
            entry.at_us,
            _WORDS.get(entry.kind, entry.kind.replace("_", " ").capitalize() + "."),
            entry.kind,
            bytes(entry.digest).hex(),
            entry.device,
        )
        for entry in entries
    ]
