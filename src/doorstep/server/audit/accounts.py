"""What people do with their own account: allauth's pages tell by signals, and each leaves its entry."""

from typing import Any, Final

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from doorstep.ownership.audit import Details, Record
from doorstep.server.accounts.models import User
from doorstep.server.accounts.queries import CHOSEN, principal_of
from doorstep.server.audit import trail
from doorstep.server.audit.requests import scene_of
from doorstep.server.clock import now_us
from doorstep.server.custody.turns import transaction_in_turn

__all__: list[str] = []

_PASSWORD: Final = {
    account.password_set: "set-password",
    account.password_changed: "change-password",
    account.password_reset: "reset-password",
}
_AUTHENTICATOR: Final = {
    mfa.authenticator_added: "add",
    mfa.authenticator_removed: "remove",
    mfa.authenticator_reset: "renew",
}
_KIND: Final = {"webauthn": "passkey", "totp": "app-codes", "recovery_codes": "recovery-codes"}


def _password(signal: object, request: HttpRequest, user: User, **_: Any) -> None:
    _note(request, user, _PASSWORD[signal])


def _authenticator(
    signal: object, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    _note(request, user, f"{_AUTHENTICATOR[signal]}-{_KIND[authenticator.type]}")


def _address(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_: Any,
) -> None:
    before = from_email_address.email if from_email_address else None
    _note(request, user, "change-e-mail", before, to_email_address.email)


def _note(
    request: HttpRequest, user: User, action: str, before: str | None = None, after: str | None = None
) -> None:
    """Write the entry, for the organisation for which they act; who belongs to none leaves none."""
    principal = principal_of(user, request.session.get(CHOSEN))
    if principal is None:
        return
    scene = scene_of(request, principal, action, "portal")
    told = ({}, {}) if after is None else ({"e-mail": before}, {"e-mail": after})
    with transaction_in_turn():
        record = Record(scene.actor, action, scene.way, principal.organisation.pk)
        trail.append(record, Details(*told, scene.address), now_us())


for _signal in _PASSWORD:
    _signal.connect(_password)
for _signal in _AUTHENTICATOR:
    _signal.connect(_authenticator)
account.email_changed.connect(_address)
