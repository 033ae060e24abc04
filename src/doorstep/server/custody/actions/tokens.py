"""A customer asks for a token that lets one device join their organisation."""

import base64
import hashlib
import os
from typing import Final

from django.db import transaction

from doorstep.errors import RefusedError
from doorstep.identity import claim_code
from doorstep.ownership.claims import Outcome
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.custody.actions.claiming import file_code
from doorstep.server.custody.keys import claim_code_pepper
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.fleet.models import Device

__all__ = ["TOKEN_BYTES", "TOKEN_LIFETIME_US", "CodeRefused", "make_registration_token"]

TOKEN_BYTES: Final = 32
"""Random bytes of a token, shown as 43 characters of base64url."""

TOKEN_LIFETIME_US: Final = 10 * 60 * 1_000_000
"""Long enough to set up Wi-Fi, short enough to be worthless in a drawer."""

_ALIAS_CAP: Final = 80


class CodeRefused(RefusedError):
    """A scratch-off code opens nothing for this customer."""


def make_registration_token(
    organisation: Organisation, user: User | None, alias: str = "", code: str = "", *, now_us: int
) -> tuple[str, RegistrationToken]:
    """Return a fresh single-use token, shown this once, and its row.

    ``code`` is the scratch-off code as typed, or empty. Raises MalformedClaimCode for a mistyped one and
    CodeRefused, always in the same words, for one that no unclaimed device has. Typing the code
    of somebody else's device opens a dispute and tells its owner.
    """
    device = _device_of_code(organisation, user, code, now_us) if code.strip() else None
    token = base64.urlsafe_b64encode(os.urandom(TOKEN_BYTES)).rstrip(b"=").decode()
    row = RegistrationToken.objects.create(
        token_hash=hashlib.sha256(token.encode()).digest(),
        organisation=organisation,
        created_by=user,
        alias="".join(char for char in alias if char.isprintable()).strip()[:_ALIAS_CAP],
        code_device=device,
        created_at_us=now_us,
        expires_at_us=now_us + TOKEN_LIFETIME_US,
    )
    return token, row


def _device_of_code(organisation: Organisation, user: User | None, code: str, now_us: int) -> Device | None:
    code_hash = claim_code.parse(code).hash(claim_code_pepper())
    with transaction.atomic():
        device = (
            Device.objects.select_for_update(of=("self",))
            .select_related("product")
            .filter(claim_code_hash=code_hash)
            .first()
        )
        burnt = device is None or device.claim_code_used_at is not None
        if device is not None and device.owner_id is not None:
            decision = file_code(device, organisation, user, now_us)
            burnt = decision.outcome is not Outcome.ALREADY_YOURS
    if burnt:
        raise CodeRefused(
            "this code doesn't open a device",
            next_step="Compare it with the label. If somebody scratched it before you, ask the seller.",
        )
    return device
