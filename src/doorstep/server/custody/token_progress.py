"""What a customer may read of a registration token: whether its device has come, and what came of it."""

import enum
from dataclasses import dataclass

from django.utils.translation import gettext as _

from doorstep.errors import RefusedError
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.fleet.models import Device

__all__ = ["NoSuchToken", "Progress", "State", "progress_of", "token_of"]


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
