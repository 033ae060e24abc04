"""The developer page: outgoing mail and the design system. Only where the settings show it."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from doorstep.server.portal.mailbox import letters_in
from doorstep.server.settings import DOORSTEP, STATE

__all__ = ["components", "mail", "overview"]

_TOKENS: Final = (
    ("paper", "behind everything"),
    ("card", "what lies on it"),
    ("sunken", "inside a card"),
    ("ink", "text"),
    ("ink-soft", "second text"),
    ("line", "dividers"),
    ("control", "borders of fields"),
    ("accent", "links, the one main button"),
    ("good", "well"),
    ("wait", "somebody waits"),
    ("bad", "ended or wrong"),
    ("note", "to know"),
)


def _developers_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @require_safe
    @wraps(view)
    def page(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if not DOORSTEP.developer_page:
            raise Http404
        return view(request, *args, **kwargs)

    return page


@_developers_only
def overview(request: HttpRequest) -> HttpResponse:
    """List the mail that went out."""
    return render(request, "portal/developer/mail.html", {"letters": letters_in(STATE.mail)})


@_developers_only
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one message with its links."""
    for letter in letters_in(STATE.mail):
        if letter.name == name:
            return render(request, "portal/developer/letter.html", {"letter": letter})
    raise Http404


@_developers_only
def components(request: HttpRequest) -> HttpResponse:
    """Show the design system: tokens and every component with its states."""
    good, bad = _Sample(auto_id="good_%s"), _Sample({"name": "", "agree": ""}, auto_id="bad_%s")
    return render(request, "portal/developer/components.html", {"tokens": _TOKENS, "good": good, "bad": bad})


class _Sample(forms.Form):
    name = forms.CharField(label="Name of the device", help_text="For example: kitchen, greenhouse 2.")
    note = forms.CharField(label="Note", required=False)
    agree = forms.BooleanField(label="Remember me on this browser")
