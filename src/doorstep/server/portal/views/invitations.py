"""What somebody was invited to: accept, decline, or open an organisation of their own."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from doorstep.errors import DoorstepError
from doorstep.ownership.actors import user_for
from doorstep.server.accounts.actions import open_customer_organisation
from doorstep.server.accounts.inviting import accept, close, invitation_for, invitations_for
from doorstep.server.accounts.members import NoSuchPerson
from doorstep.server.accounts.models import Invitation, Organisation, User
from doorstep.server.accounts.queries import CHOSEN
from doorstep.server.audit.requests import see_page
from doorstep.server.clock import now_us
from doorstep.server.portal.access import principal, user_of
from doorstep.server.portal.sentences import sentences

__all__ = ["Newcomer", "begin", "invitations", "take", "turn_down"]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who answers an organisation's invitation, as the audit trail names them."""

    user: User
    organisation: Organisation

    @property
    def actor(self) -> str:
        """As the ledger would name them, were they a member."""
        return user_for(self.user.pk, self.organisation.pk)


@require_safe
@login_required
def invitations(request: HttpRequest) -> HttpResponse:
    """Show the invitations to this user's confirmed addresses."""
    found = invitations_for(user_of(request), now_us())
    return render(request, "portal/invitations.html", {"invitations": found})


@require_POST
@login_required
def take(request: HttpRequest, number: int) -> HttpResponse:
    """Accept an invitation, and act for its organisation from now on."""
    user = user_of(request)
    invitation = _find(user, number)
    try:
        see_page(
            request, Newcomer(user, invitation.organisation), {}, lambda: accept(invitation, user, now_us())
        )
    except DoorstepError as error:
        messages.error(request, sentences(error))
        return redirect("invitations")
    request.session[CHOSEN] = invitation.organisation_id
    messages.success(request, _("Welcome to %(name)s.") % {"name": invitation.organisation})
    return redirect("home")


@require_POST
@login_required
def turn_down(request: HttpRequest, number: int) -> HttpResponse:
    """Decline an invitation."""
    user, invitation = user_of(request), _find(user_of(request), number)
    see_page(request, Newcomer(user, invitation.organisation), {}, lambda: close(invitation, now_us()))
    messages.success(request, _("Declined. Nobody is told why."))
    return redirect("invitations")


@require_POST
@login_required
def begin(request: HttpRequest) -> HttpResponse:
    """Open an organisation for somebody who has none, to own devices themselves."""
    if principal(request) is None:
        open_customer_organisation(user_of(request))
    return redirect("home")


def _find(user: User, number: int) -> Invitation:
    try:
        return invitation_for(user, number, now_us())
    except NoSuchPerson as error:
        raise Http404 from error
