"""Webhooks: where events go, how each delivery went, and once more."""

from datetime import timedelta
from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from doorstep.errors import DoorstepError
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.portal.access import member_page
from doorstep.server.portal.sentences import sentences
from doorstep.server.webhooks import actions
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.models import DeliveryState, WebhookEndpoint
from doorstep.server.webhooks.queries import NoSuchWebhook, deliveries_of, endpoint_of, endpoints_of
from doorstep.server.webhooks.secrets import rotate_secret
from doorstep.server.webhooks.signing import secret_text
from doorstep.server.webhooks.target import URL_CAP

__all__ = ["act", "webhook", "webhooks"]

_ROWS: Final = 50
_US: Final = timedelta(microseconds=1)
_SINCE: Final = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


class EndpointForm(forms.Form):
    """Where events go, and which."""

    url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=URL_CAP,
        assume_scheme="https",
        help_text=gettext_lazy("Of your program. It begins with https:// and is reached from the Internet."),
    )
    description = forms.CharField(label=gettext_lazy("What it is for"), max_length=80, required=False)
    types = forms.MultipleChoiceField(
        label=gettext_lazy("Only these events"),
        choices=[(str(one), str(one)) for one in EventType],
        required=False,
        widget=forms.SelectMultiple(attrs={"lang": "en"}),
        help_text=gettext_lazy("Choose none to hear everything."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def webhooks(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the webhooks, and add one; its secret is on the page that answers, and nowhere else."""
    _require(principal, "webhooks:read")
    form = EndpointForm(request.POST or None)
    if request.method == "POST":
        _require(principal, "webhooks:write")
        if form.is_valid():
            asked = form.cleaned_data
            try:
                made, secret = actions.add_endpoint(
                    principal.organisation,
                    asked["url"],
                    asked["types"],
                    asked["description"],
                    now_us=now_us(),
                )
            except DoorstepError as error:
                form.add_error("url", sentences(error))
            else:
                return _shown_once(request, made, secret)
    rows = endpoints_of(principal.organisation)
    return render(request, "portal/webhooks.html", {"webhooks": rows, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def webhook(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show a webhook and its deliveries; change where it goes."""
    row = _find(principal, number)
    initial = {"url": row.url, "description": row.description, "types": row.types}
    form = EndpointForm(request.POST or None, initial=initial)
    if request.method == "POST":
        _require(principal, "webhooks:write")
        if form.is_valid():
            asked = form.cleaned_data
            try:
                actions.change_endpoint(
                    row, asked["url"], asked["types"], asked["description"], enabled=row.enabled
                )
            except DoorstepError as error:
                form.add_error("url", sentences(error))
            else:
                messages.success(request, _("The webhook is changed."))
                return redirect("webhook", number)
    state = request.GET.get("state", "")
    wanted = state if state in DeliveryState.values else ""
    context = {
        "webhook": row,
        "form": form,
        "page": Paginator(deliveries_of(row, wanted), _ROWS).get_page(request.GET.get("page")),
        "state": wanted,
        "states": DeliveryState.values,
        "query": f"&state={wanted}" if wanted else "",
    }
    return render(request, "portal/webhook.html", context)


@require_POST
@member_page
def act(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Try a webhook, replay events, make a new secret, switch it on or off, or remove it."""
    row = _find(principal, number)
    _require(principal, "webhooks:write")
    match request.POST.get("act"):
        case "test":
            actions.try_endpoint(row, now_us())
            messages.success(request, _("A test event is on its way. Load the page again in a moment."))
        case "replay":
            _replay(request, row)
        case "replay-since":
            _replay_since(request, row)
        case "secret":
            return _shown_once(request, row, rotate_secret(row, now_us()))
        case "switch":
            changed = actions.change_endpoint(
                row, row.url, row.types, row.description, enabled=not row.enabled
            )
            messages.success(request, _("It is on again.") if changed.enabled else _("It is off."))
        case "remove":
            row.delete()
            messages.success(request, _("The webhook to %(url)s is gone.") % {"url": row.url})
            return redirect("webhooks")
        case _:
            raise Http404
    return redirect("webhook", number)


def _replay(request: HttpRequest, row: WebhookEndpoint) -> None:
    try:
        actions.replay(row, request.POST.get("event", ""), now_us())
    except DoorstepError as error:
        messages.error(request, sentences(error))
    else:
        messages.success(request, _("The event is on its way once more, under its own id."))


def _replay_since(request: HttpRequest, row: WebhookEndpoint) -> None:
    back = _SINCE.get(request.POST.get("since", ""), _SINCE["day"]) // _US
    queued = actions.replay_since(row, now_us() - back, now_us())
    said = ngettext(
        "%(number)s event that did not arrive is on its way.",
        "%(number)s events that did not arrive are on their way.",
        queued,
    )
    messages.success(request, said % {"number": queued})


def _shown_once(request: HttpRequest, row: WebhookEndpoint, secret: bytes) -> HttpResponse:
    return render(request, "portal/webhook_secret.html", {"webhook": row, "secret": secret_text(secret)})


def _find(principal: Principal, number: int) -> WebhookEndpoint:
    _require(principal, "webhooks:read")
    try:
        return endpoint_of(principal.organisation, number)
    except NoSuchWebhook as error:
        raise Http404 from error


def _require(principal: Principal, what: str) -> None:
    if not principal.may_of(what):
        raise PermissionDenied
