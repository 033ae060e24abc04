"""What the custody ledger can say: the kinds of entry, and what each tells besides device and actor."""

import enum
from collections.abc import Mapping
from typing import Final

__all__ = ["DETAIL", "Kind"]


class Kind(enum.StrEnum):
    """What happened."""

    MADE = "made"
    STOCKED = "stocked"
    """It lies in the maker's stock, for the first time or again."""
    DISPATCHED = "dispatched"
    """Its holder sent it to a wholesaler."""
    RECEIVED = "received"
    """The wholesaler to whom it was sent has it."""
    SOLD = "sold"
    """Its holder sold it to a customer."""
    ONBOARDED = "onboarded"
    OWNED = "owned"
    CLAIM_HELD = "claim_held"
    CLAIM_DISPUTED = "claim_disputed"
    CASE_DECIDED = "case_decided"
    """The staff's desk closed a dispute."""
    CASE_APPEALED = "case_appealed"
    LABEL_REPORTED = "label_reported"
    """Somebody said in which state its label is."""
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    """The block-list no longer has it."""
    SUSPECTED = "suspected"
    QUARANTINED = "quarantined"
    CLEARED = "cleared"
    """A suspicion or a quarantine ended well."""
    TRANSFER_OFFERED = "transfer_offered"
    TRANSFER_ENDED = "transfer_ended"
    """The offer was withdrawn, declined or ran out; the owner stayed the owner."""
    TRANSFERRED = "transferred"
    RELEASED = "released"
    """Its owner gave it up, or it was taken away by a decision."""
    RETURNED = "returned"
    """Its holder sent it back to the maker."""
    SWAPPED = "swapped"
    """Another device took its place."""
    REPLACES = "replaces"
    """It took the place of another device."""
    SCRAPPED = "scrapped"
    ERASED = "erased"
    """The readings of one ownership period are gone."""
    EXPORTED = "exported"
    """The readings of one ownership period were handed out."""
    SETUP_RELEASED = "setup_released"
    """The owner allowed to set the device up again."""
    CODE_RELEASED = "code_released"
    """The label's code was given to an organisation to which the device attested itself."""
    CORRECTED = "corrected"
    """An earlier entry about the device was wrong or was taken back; it stays where it is."""
    KEY_ADDED = "key_added"
    """About no device: from here on this key signs for an organisation."""


_CLAIM: Final = frozenset({"organisation", "evidence", "policy"})
_REASON: Final = frozenset({"reason"})
_DATA: Final = frozenset({"period", "receipt"})

DETAIL: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.MADE: frozenset({"product", "batch", "serial"}),
    Kind.STOCKED: frozenset(),
    Kind.DISPATCHED: frozenset({"order", "organisation"}),
    Kind.RECEIVED: frozenset({"order"}),
    Kind.SOLD: frozenset({"order"}),
    Kind.ONBOARDED: frozenset(),
    Kind.OWNED: _CLAIM | {"period"},
    Kind.CLAIM_HELD: _CLAIM,
    Kind.CLAIM_DISPUTED: _CLAIM,
    Kind.CASE_DECIDED: frozenset({"case", "outcome", "reason"}),
    Kind.CASE_APPEALED: frozenset({"case"}),
    Kind.LABEL_REPORTED: frozenset({"state"}),
    Kind.BLOCKED: _REASON,
    Kind.UNBLOCKED: _REASON,
    Kind.SUSPECTED: _REASON,
    Kind.QUARANTINED: _REASON,
    Kind.CLEARED: _REASON,
    Kind.TRANSFER_OFFERED: frozenset(),
    Kind.TRANSFER_ENDED: _REASON,
    Kind.TRANSFERRED: frozenset({"organisation"}),
    Kind.RELEASED: _REASON,
    Kind.RETURNED: _REASON,
    Kind.SWAPPED: frozenset({"replacement"}),
    Kind.REPLACES: frozenset({"replaced"}),
    Kind.SCRAPPED: _REASON,
    Kind.ERASED: _DATA,
    Kind.EXPORTED: _DATA,
    Kind.SETUP_RELEASED: frozenset(),
    Kind.CODE_RELEASED: frozenset({"organisation"}),
    Kind.CORRECTED: frozenset({"entry", "reason"}),
    Kind.KEY_ADDED: frozenset({"organisation", "key"}),
}
"""What each kind says besides device and actor: exactly these, nothing more."""
