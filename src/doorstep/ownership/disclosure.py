"""Who may read more of a ledger entry than that it happened."""

from typing import Final

from doorstep.ownership.actors import organisation_of
from doorstep.ownership.kinds import Kind
from doorstep.ownership.ledger import Event

__all__ = ["concerns"]

_TRADE: Final = frozenset({Kind.DISPATCHED, Kind.RECEIVED, Kind.SOLD, Kind.RETURNED, Kind.CORRECTED})
"""What the parties to it alone read: which wholesaler sold to whom is nobody else's business."""


def concerns(event: Event, organisation: int) -> bool:
    """Say whether an organisation that may know of an entry may know its actor and its detail, too."""
    if event.kind in _TRADE:
        return organisation in {event.detail.get("organisation"), organisation_of(event.actor)}
    return event.detail.get("organisation", organisation) == organisation
