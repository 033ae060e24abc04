"""What pages read about custody: customers their tokens; the maker's staff sales, claims, disputes, ledger.

Callers of the functions that take no organisation have checked that they serve staff.
"""

import enum
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from doorstep.errors import RefusedError
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.models import CustodyEntry, Dispute, RegistrationToken, Sale, SaleLine
from doorstep.server.fleet.models import Batch, Device

__all__ = [
    "NoSuchToken",
    "Progress",
    "State",
    "devices_in",
    "ledger",
    "lines_of",
    "open_disputes",
    "progress_of",
    "token_of",
]


class State(enum.Enum):
    """How far a registration token is."""

    WAITING = "waiting"
    EXPIRED = "expired"
    BOUND = "bound"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a token, in words; ``device`` only when it is theirs now."""

    state: State
    text: str
    device: Device | None = None


class NoSuchToken(RefusedError):
    """The organisation made no token of this number."""


def token_of(organisation: Organisation, number: int) -> RegistrationToken:
    """Return a token of the organisation; raise NoSuchToken, also for somebody else's."""
    tokens = RegistrationToken.objects.select_related("used_by__owner")
    row = tokens.filter(organisation=organisation, pk=number).first()
    if row is None:
        raise NoSuchToken(f"there is no token {number} here", next_step="Make one.")
    return row


def progress_of(token: RegistrationToken, now_us: int) -> Progress:
    """Judge how far a token is."""
    device = token.used_by
    if device is None:
        if token.expires_at_us <= now_us:
            return Progress(State.EXPIRED, _("The token has run out and no device came. Make a new one."))
        return Progress(State.WAITING, _("Waiting for the device …"))
    if device.owner_id == token.organisation_id:
        return Progress(
            State.BOUND, _("%(device)s has registered. It is yours.") % {"device": device}, device
        )
    claim = device.claims.filter(organisation=token.organisation).order_by("-at_us", "-pk").first()
    return Progress(State.HELD, claim.reason if claim else _("The device has come; its claim is looked at."))


def lines_of(sale: Sale) -> QuerySet[SaleLine]:
    """Return the devices of a sale."""
    return sale.lines.select_related("device__product", "device__owner").order_by("device__serial")


def devices_in(batch: Batch) -> QuerySet[Device]:
    """Return the devices of a batch by serial."""
    return Device.objects.filter(batch=batch).select_related("product", "owner").order_by("serial")


def ledger() -> QuerySet[CustodyEntry]:
    """Return the whole ledger, newest first."""
    return CustodyEntry.objects.select_related("device").order_by("-number")


def open_disputes() -> QuerySet[Dispute]:
    """Return open disputes, oldest first, because they have waited longest."""
    return (
        Dispute.objects.filter(closed_at_us=None)
        .select_related("device__owner", "device__product", "claim__organisation", "claim__claimant")
        .order_by("opened_at_us")
    )
