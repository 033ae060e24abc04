"""A customer asks for a token that lets one device join their organisation."""

import hashlib
import os
from typing import Final

from doorstep.ownership.actors import OPERATOR, user_for
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.codes import type_code
from doorstep.server.custody.models import RegistrationToken
from doorstep.wire import base64url

__all__ = ["TOKEN_BYTES", "TOKEN_LIFETIME_US", "make_registration_token"]

TOKEN_BYTES: Final = 32
"""Random bytes of a token, shown as 43 characters of base64url."""

TOKEN_LIFETIME_US: Final = 10 * 60 * 1_000_000
"""Long enough to set up Wi-Fi, short enough to be worthless in a drawer."""

_ALIAS_CAP: Final = 80


def make_registration_token(
    organisation: Organisation, user: User | None, alias: str = "", code: str = "", *, now_us: int
) -> tuple[str, RegistrationToken]:
    """Return a fresh single-use token, shown this once, and its row.

    ``code`` is the scratch-off code as typed, or empty. Raises as `type_code`. Typing the code of somebody
    else's device opens a dispute and tells its owner.
    """
    by = user_for(user.pk, organisation.pk) if user else OPERATOR
    claimant = Claimant(organisation, user, by, alias=alias)
    device = type_code(claimant, code, now_us) if code.strip() else None
    token = base64url.encode(os.urandom(TOKEN_BYTES))
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
