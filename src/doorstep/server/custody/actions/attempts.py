"""What people typed to claim devices: counted an account, so that guessing is slow and locks nobody out."""

import hmac
from typing import Final

from doorstep.errors import RefusedError
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.keys import claim_code_pepper
from doorstep.server.custody.models import ClaimAttempt
from doorstep.server.fleet.models import Device

__all__ = ["REFUSED_AN_HOUR", "TooManyAttempts", "admit", "keep_attempt"]

REFUSED_AN_HOUR: Final = 20
"""Refusals of one organisation; then nothing that it types is looked at until the hour has passed."""

_HOUR_US: Final = 3600 * 1_000_000


class TooManyAttempts(RefusedError):
    """An organisation typed too much that was refused."""

    def __init__(self) -> None:
        super().__init__(
            f"more than {REFUSED_AN_HOUR} codes and numbers from your account were refused in an hour",
            next_step="Wait an hour, or set the device up: that needs no code if the seller's records name "
            "you. Nobody else is kept from their devices by this.",
        )


def admit(organisation: Organisation, now_us: int) -> None:
    """Raise TooManyAttempts when an organisation has guessed enough for now.

    It is its own account alone that counts, whatever it names, so that nobody can use up somebody else's
    tries: neither those on a device nor those on a code.
    """
    refused = ClaimAttempt.objects.filter(
        organisation=organisation, refused=True, at_us__gt=now_us - _HOUR_US
    )
    if refused.count() >= REFUSED_AN_HOUR:
        raise TooManyAttempts


def keep_attempt(  # noqa: PLR0913 - an attempt is that many facts
    claimant: Claimant,
    kind: str,
    typed: str,
    *,
    device: Device | None,
    refused: bool,
    now_us: int,
) -> ClaimAttempt:
    """Store that somebody typed something; of the text only a keyed hash."""
    return ClaimAttempt.objects.create(
        organisation=claimant.organisation,
        user=claimant.user,
        kind=kind,
        guess=hmac.digest(claim_code_pepper(), f"attempt {kind}\0{typed}".encode(), "sha256"),
        device=device,
        refused=refused,
        at_us=now_us,
    )
