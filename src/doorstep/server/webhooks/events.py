"""What webhooks tell: one enum, and which entry of the ledger tells it."""

import enum
from collections.abc import Mapping
from typing import Final

from doorstep.ownership.kinds import Kind

__all__ = ["BY_KIND", "EventType"]


class EventType(enum.StrEnum):
    """``noun.what_happened``; `docs/spec/webhooks.md` says what each carries."""

    DEVICE_REGISTERED = "device.registered"
    """A device has an owner now."""
    DEVICE_HELD = "device.held"
    """A claim waits, because its evidence does not suffice yet."""
    DEVICE_DISPUTED = "device.disputed"
    """Somebody else claimed a device; its owner keeps it."""
    DEVICE_REVOKED = "device.revoked"
    """A device was blocked: nothing of it is accepted any more."""
    DEVICE_RESTORED = "device.restored"
    """The block-list no longer has a device."""
    DEVICE_SUSPECTED = "device.suspected"
    """Something looked wrong with a device."""
    DEVICE_QUARANTINED = "device.quarantined"
    """Nothing of a device is accepted until somebody decides."""
    DEVICE_CLEARED = "device.cleared"
    """A suspicion or a quarantine ended well."""
    DEVICE_DECIDED = "device.dispute_decided"
    """The staff's desk closed a dispute."""
    DEVICE_APPEALED = "device.dispute_appealed"
    """Somebody does not agree with a decision."""
    DEVICE_DISPATCHED = "device.dispatched"
    """A device went to a wholesaler."""
    DEVICE_SOLD = "device.sold"
    """A device was sold to a customer."""
    DEVICE_RECEIVED = "device.received"
    """The wholesaler to whom it was sent has a device."""
    DEVICE_OFFERED = "device.transfer_offered"
    """An owner offers a device to somebody."""
    DEVICE_OFFER_ENDED = "device.transfer_ended"
    """An offer was withdrawn, declined or ran out."""
    DEVICE_TRANSFERRED = "device.transferred"
    """An owner handed a device over."""
    DEVICE_RELEASED = "device.released"
    """A device has no owner any more."""
    DEVICE_RETURNED = "device.returned"
    """A device came back."""
    DEVICE_SWAPPED = "device.swapped"
    """A device was replaced by another."""
    DEVICE_SCRAPPED = "device.scrapped"
    """A device is no more."""
    DEVICE_ERASED = "device.erased"
    """The readings of one ownership are gone."""
    DEVICE_EXPORTED = "device.exported"
    """The readings of one ownership were handed out."""
    DEVICE_CORRECTED = "device.corrected"
    """An earlier entry about a device was wrong or was taken back."""
    SALE_RECORDED = "sale.recorded"
    """An order was stored, or devices were added to it."""
    ALERT_RAISED = "alert.raised"
    """A reading crossed a threshold, or a device fell silent."""
    ALERT_CLEARED = "alert.cleared"
    """What an alert told of is over."""
    WEBHOOK_TEST = "webhook.test"
    """Somebody pressed the button to try an endpoint."""


BY_KIND: Final[Mapping[Kind, EventType]] = {
    Kind.OWNED: EventType.DEVICE_REGISTERED,
    Kind.CLAIM_HELD: EventType.DEVICE_HELD,
    Kind.CLAIM_DISPUTED: EventType.DEVICE_DISPUTED,
    Kind.BLOCKED: EventType.DEVICE_REVOKED,
    Kind.UNBLOCKED: EventType.DEVICE_RESTORED,
    Kind.SUSPECTED: EventType.DEVICE_SUSPECTED,
    Kind.QUARANTINED: EventType.DEVICE_QUARANTINED,
    Kind.CLEARED: EventType.DEVICE_CLEARED,
    Kind.CASE_DECIDED: EventType.DEVICE_DECIDED,
    Kind.CASE_APPEALED: EventType.DEVICE_APPEALED,
    Kind.DISPATCHED: EventType.DEVICE_DISPATCHED,
    Kind.SOLD: EventType.DEVICE_SOLD,
    Kind.RECEIVED: EventType.DEVICE_RECEIVED,
    Kind.TRANSFER_OFFERED: EventType.DEVICE_OFFERED,
    Kind.TRANSFER_ENDED: EventType.DEVICE_OFFER_ENDED,
    Kind.TRANSFERRED: EventType.DEVICE_TRANSFERRED,
    Kind.RELEASED: EventType.DEVICE_RELEASED,
    Kind.RETURNED: EventType.DEVICE_RETURNED,
    Kind.SWAPPED: EventType.DEVICE_SWAPPED,
    Kind.SCRAPPED: EventType.DEVICE_SCRAPPED,
    Kind.ERASED: EventType.DEVICE_ERASED,
    Kind.EXPORTED: EventType.DEVICE_EXPORTED,
    Kind.CORRECTED: EventType.DEVICE_CORRECTED,
}
"""Entry of the ledger → what webhooks tell of it; other entries are told to nobody."""
