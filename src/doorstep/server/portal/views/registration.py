"""Add a device: a single-use token, what to do with it, and word when the device has come."""

import shlex
from typing import Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from doorstep.errors import PeerError, RefusedError
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import make_registration_token
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.custody.token_progress import NoSuchToken, Progress, progress_of, token_of
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.sentences import sentences
from doorstep.server.settings import DOORSTEP

__all__ = ["add", "added", "state"]

_CODE_CAP: Final = 40


class AddForm(forms.Form):
    """What the customer may tell about the device beforehand."""

    alias = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=80,
        help_text=_("What you want to call it, for example: greenhouse."),
    )
    code = forms.CharField(
        label=_("Scratch-off code"),
        required=False,
        max_length=_CODE_CAP,
        help_text=_("Only if the label has one; scratch it free first. It helps to prove that it is yours."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def add(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Ask for name and code; answer with a token, shown this once."""
    if not principal.may_add:
        raise PermissionDenied
    form = AddForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, row = make_registration_token(
                principal.organisation,
                principal.user,
                form.cleaned_data["alias"],
                form.cleaned_data["code"],
                now_us=now_us(),
            )
        except (PeerError, RefusedError) as error:
            form.add_error("code", sentences(error))
        else:
            return render(request, "portal/token.html", _shown(token, row))
    return render(request, "portal/add.html", {"form": form})


@require_safe
@customer_page
def added(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Say what became of a token, for readers without scripts and for coming back later."""
    row = _find(principal, number)
    return render(request, "portal/added.html", {"row": row, "progress": progress_of(row, now_us())})


@require_safe
@customer_page
def state(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Return what became of a token, for the page's script."""
    row = _find(principal, number)
    return JsonResponse(_answer(progress_of(row, now_us()), row))


def _shown(token: str, row: RegistrationToken) -> dict[str, Any]:
    told = ("--label", "label.txt", "--server", DOORSTEP.device_api_url)
    return {
        "token": token,
        "row": row,
        # Not an option: who shares the computer could read it there.
        "command": f"DOORSTEP_TOKEN={shlex.quote(token)} {shlex.join(('doorstep', 'provision', *told))}",
        "lifetime_s": (row.expires_at_us - row.created_at_us) // 1_000_000,
    }


def _answer(progress: Progress, row: RegistrationToken) -> dict[str, Any]:
    left_us = row.expires_at_us - now_us()
    device = progress.device
    return {
        "state": progress.state.value,
        "text": progress.text,
        "left_s": max(0, left_us // 1_000_000),
        "url": reverse("device", args=[device.device_id]) if device else "",
    }


def _find(principal: Principal, number: int) -> RegistrationToken:
    if principal.groups is not None:  # the device of a token stands in no group yet
        raise Http404
    try:
        return token_of(principal.organisation, number)
    except NoSuchToken as error:
        raise Http404 from error
