"""Who calls: a program with an API key, or a person with a session (whose writes need the CSRF token)."""

from typing import Final

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie

from doorstep.server.accounts.api_keys import find_caller
from doorstep.server.accounts.models import User
from doorstep.server.accounts.permissions import Caller
from doorstep.server.accounts.queries import CHOSEN, principal_of
from doorstep.server.api.pace import REQUESTS, Left, TooFast
from doorstep.server.clock import now_us
from doorstep.server.fleet.access import NotPermitted

__all__ = ["AUTHENTICATION", "caller_of", "left_of", "proven_caller_of"]


class ApiKeyAuth(HttpBearer):
    """``Authorization: Bearer <API key>``."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Return the key's caller; raise VerificationFailed, or TooFast."""
        return _counted(request, find_caller(token))


class SessionAuth(APIKeyCookie):
    """The portal's session cookie."""

    param_name: str = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Check CSRF only where there is a session to abuse."""
        if self.param_name not in request.COOKIES:
            return None
        found: Caller | None = super().__call__(request)
        return found

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:  # noqa: ARG002 - ninja's signature
        """Return the member who is logged in, acting for the organisation they chose."""
        if not isinstance(request.user, User):
            return None
        member = principal_of(request.user, request.session.get(CHOSEN))
        if member is None:
            return None
        caller = Caller(
            member.organisation,
            member.permissions,
            member.actor,
            user=member.user,
            groups=member.groups,
            role=member.role,
        )
        return _counted(request, caller)


AUTHENTICATION: Final = [ApiKeyAuth(), SessionAuth()]


def caller_of(request: HttpRequest) -> Caller:
    """Return who called; every route is authenticated."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # ninja sets it
    return caller


def proven_caller_of(request: HttpRequest) -> Caller:
    """Return who called; raise NotPermitted for a person who did not prove it a moment ago; keys need not."""
    caller = caller_of(request)
    if caller.key is not None:
        return caller
    try:
        reauthentication_required(lambda _: None, app="account")(request)
    except ReauthenticationRequired as error:
        raise NotPermitted(
            "this takes a person who proved a moment ago who they are",
            next_step="Confirm your password or passkey in the portal, below Account; then ask again.",
        ) from error
    return caller


def left_of(request: HttpRequest) -> Left | None:
    """Return what is left of the caller's allowance; None where nobody was recognised."""
    left: Left | None = getattr(request, "left", None)
    return left


def _counted(request: HttpRequest, caller: Caller) -> Caller:
    try:
        left = REQUESTS.spend(caller.actor, now_us())
    except TooFast as error:
        request.left = error.left  # type: ignore[attr-defined]  # read by left_of
        raise
    request.left = left  # type: ignore[attr-defined]  # as above
    return caller
