"""A device shows a code; the customer types it and says whether it is theirs (RFC 8628 section 3.3)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from doorstep.errors import DoorstepError
from doorstep.identity.user_code import parse
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.grants import answer_grant, find_grant
from doorstep.server.portal.access import door_page
from doorstep.server.portal.sentences import sentences

__all__ = ["activate"]

_CODE_CAP = 32


class ActivateForm(forms.Form):
    """The code, and a name for the device."""

    user_code = forms.CharField(
        label=_("Code on the device"),
        max_length=_CODE_CAP,
        help_text=_("Eight letters, such as WDJB-MJHT."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    alias = forms.CharField(
        label=_("Name"), required=False, max_length=80, help_text=_("What you want to call it, if you like.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@door_page("portal/activate.html")
def activate(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Ask for the code, show whose it is, take the answer."""
    if not principal.may_add:
        raise PermissionDenied
    form = ActivateForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "portal/activate.html", {"form": form})
    try:
        return _answered(request, principal, form.cleaned_data)
    except DoorstepError as error:
        form.add_error("user_code", sentences(error))
    return render(request, "portal/activate.html", {"form": form})


def _answered(request: HttpRequest, principal: Principal, typed: dict[str, Any]) -> HttpResponse:
    claimant = Claimant(principal.organisation, principal.user, principal.actor, alias=typed["alias"])
    answer = request.POST.get("answer")
    if answer not in {"yes", "no"}:
        grant = find_grant(claimant, typed["user_code"], now_us())
        shown = parse(typed["user_code"]).shown
        context = {"form": None, "grant": grant, "user_code": shown, "alias": typed["alias"]}
        return render(request, "portal/activate.html", context)
    grant = answer_grant(claimant, typed["user_code"], now_us(), yes=answer == "yes")
    if answer == "yes":
        messages.success(
            request,
            _("%(device)s registers itself now. It appears here in some seconds.") % {"device": grant.device},
        )
    else:
        messages.success(request, _("The device was turned away."))
    return redirect("devices")
