"""The people of an organisation, and which organisation somebody acts for."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from doorstep.server.accounts.queries import CHOSEN, Principal, members_of
from doorstep.server.portal.access import member_page

__all__ = ["account", "people", "switch"]


@require_safe
@member_page
def people(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List who belongs to the organisation and what each may do."""
    if not principal.may_see_people:
        raise PermissionDenied
    return render(request, "portal/people.html", {"members": members_of(principal)})


@require_safe
@member_page
def account(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show somebody's own account and where to change it."""
    return render(request, "portal/account.html", {})


@require_POST
@member_page
def switch(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Act for another organisation from now on; one that the user does not belong to does not exist."""
    wanted = request.POST.get("organisation", "")
    for organisation in principal.organisations:
        if str(organisation.pk) == wanted:
            request.session[CHOSEN] = organisation.pk
            return redirect("home")
    raise Http404
