"""Delete one's account."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.server.accounts.leaving import StillNeeded, delete_account, reasons_to_stay
from doorstep.server.accounts.queries import Principal
from doorstep.server.portal.access import member_page, proven

__all__ = ["delete"]


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
@proven
def delete(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Say what goes and what stays; then delete the account, unless something would lose its owner."""
    reasons = reasons_to_stay(principal.user)
    if request.method == "POST" and not reasons:
        try:
            delete_account(principal.user)
        except StillNeeded:
            reasons = reasons_to_stay(principal.user)
        else:
            logout(request)
            return redirect("account_login")
    status = 409 if request.method == "POST" else 200
    return render(request, "portal/delete_account.html", {"reasons": reasons}, status=status)
