"""Devices come and go: offers, past devices, exports and erasures, documents."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from doorstep.errors import DoorstepError, MisuseError, RefusedError
from doorstep.ownership.handovers import DataChoice, Way
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.data_jobs import ask_for_data
from doorstep.server.custody.actions.ending import scrap_device
from doorstep.server.custody.actions.offers import (
    Recipient,
    accept_return,
    accept_transfer,
    cancel_offer,
    decline_offer,
    offer_return,
    offer_transfer,
)
from doorstep.server.custody.changing import Handover
from doorstep.server.custody.holdings import (
    NothingHere,
    documents_of,
    exported,
    found,
    jobs_of,
    offers_of,
    past_of,
)
from doorstep.server.files import attached, streamed
from doorstep.server.fleet.models import Device
from doorstep.server.portal.access import customer_page, member_page
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.views.devices import find
from doorstep.server.readings.queries import past_points

__all__ = ["data", "document", "download", "give", "give_back", "offer", "overview", "past", "scrap", "step"]

_NEWEST: Final = 50
_ROWS: Final = 60

_KEEP: Final = (
    (DataChoice.KEEP.value, _("Keep them, for myself alone")),
    (DataChoice.ERASE.value, _("Erase them, with a receipt")),
    (DataChoice.EXPORT.value, _("Export them, then erase them")),
)
_GIVE: Final = (*_KEEP, (DataChoice.HAND_OVER.value, _("Hand them to the new owner")))


class _Words(forms.Form):
    words = forms.CharField(
        label=_("A note for the other side"),
        required=False,
        max_length=200,
        help_text=_("They read it with the offer."),
    )


class GiveForm(_Words):
    """To whom, and what about the readings."""

    email = forms.EmailField(
        label=_("E-mail address of the new owner"),
        max_length=254,
        help_text=_(
            "They get a link. Whoever has confirmed this address can accept; nothing changes before."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    readings = forms.ChoiceField(label=_("The readings until then"), choices=_GIVE)
    field_order = ("email", "readings", "words")


class ReturnForm(_Words):
    """What about the readings."""

    readings = forms.ChoiceField(label=_("The readings until then"), choices=_KEEP)
    field_order = ("readings", "words")


class ScrapForm(forms.Form):
    """Why, and what about the readings."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("For example: water damage. It stands in the ledger for ever, so please name no person."),
    )
    readings = forms.ChoiceField(label=_("The readings until now"), choices=_KEEP)


class AcceptForm(forms.Form):
    """What the new owner calls it."""

    alias = forms.CharField(
        label=_("Name"), required=False, max_length=80, help_text=_("What you want to call it.")
    )


@require_safe
@member_page
def overview(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show offers, past devices, data jobs and documents; to staff the devices that come back."""
    _check(principal, Permission.CUSTOMER_HANDOVERS_READ, Permission.MAKER_HANDOVERS_READ)
    context = {
        "offers": offers_of(principal.organisation, principal.user).order_by("-pk")[:_NEWEST],
        "past": past_of(principal.organisation).order_by("-pk")[:_NEWEST],
        "jobs": jobs_of(principal.organisation).order_by("-pk")[:_NEWEST],
        "documents": documents_of(principal.organisation).order_by("-pk")[:_NEWEST],
    }
    return render(request, "portal/handovers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def give(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Offer a device to another owner."""

    def act(device: Device, said: dict[str, Any]) -> str:
        row = offer_transfer(
            device,
            said["email"],
            DataChoice(said["readings"]),
            principal.actor,
            now_us=now_us(),
            words=said["words"],
        )
        return reverse("handover", args=[row.pk])

    return _part(request, principal, device_id, _Part("transfer", GiveForm, act))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def give_back(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Announce that a device goes back to its maker."""

    def act(device: Device, said: dict[str, Any]) -> str:
        row = offer_return(
            device, DataChoice(said["readings"]), principal.actor, now_us=now_us(), words=said["words"]
        )
        return reverse("handover", args=[row.pk])

    return _part(request, principal, device_id, _Part("return", ReturnForm, act))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def scrap(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """End a device for ever; lead to the certificate."""

    def act(device: Device, said: dict[str, Any]) -> str:
        scrap_device(
            device, principal.actor, said["reason"], now_us=now_us(), data=DataChoice(said["readings"])
        )
        return reverse("handovers")

    return _part(request, principal, device_id, _Part("scrap", ScrapForm, act))


@require_safe
@member_page
def offer(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show one offer, and what the reader can do with it."""
    row = _offer(principal, number)
    return render(request, "portal/handover.html", _offer_context(principal, row, AcceptForm()))


@require_POST
@member_page
def step(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Accept, decline or cancel an offer."""
    row = _offer(principal, number)
    _check(principal, Permission.CUSTOMER_HANDOVERS_WRITE, Permission.MAKER_HANDOVERS_WRITE)
    form = AcceptForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/handover.html", _offer_context(principal, row, form))
    try:
        done = _take(principal, row, request.POST.get("step", ""), form.cleaned_data["alias"])
    except (MisuseError, RefusedError) as error:
        messages.error(request, sentences(error))
        return redirect("handover", number)
    messages.success(request, _DONE[done.state])
    return redirect("handovers")


@require_safe
@customer_page
def past(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show a device of the past with the readings that were kept."""
    _check(principal, Permission.CUSTOMER_HANDOVERS_READ)
    row = _found(past_of(principal.organisation), number)
    points = past_points(row.device_id, row.period)
    context = {"past": row, "rows": list(reversed(points))[:_ROWS], "count": len(points)}
    return render(request, "portal/past.html", context)


@require_POST
@customer_page
def data(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Export or erase readings: of a device, or with ``past`` of one that the organisation had."""
    _check(principal, Permission.CUSTOMER_DATA_WRITE)
    kind = request.POST.get("kind", "")
    if kind not in {"export", "erase"}:
        raise Http404
    if kind == "erase" and "sure" not in request.POST:
        messages.error(request, _("Nothing was erased: tick that you know what it means, then erase again."))
        return redirect("handovers")
    number = request.POST.get("past", "")
    whose = (
        _found(past_of(principal.organisation), int(number[:18]))
        if number.isdecimal()
        else find(principal, device_id)
    )
    try:
        ask_for_data(whose, kind, principal.actor, now_us())
    except RefusedError as error:
        messages.error(request, sentences(error))
    else:
        messages.success(
            request, _("It is being worked on. This page shows how far it is, and then the receipt.")
        )
    return redirect("handovers")


@require_safe
@customer_page
def download(request: HttpRequest, principal: Principal, number: int) -> HttpResponseBase:
    """Hand out an exported file."""
    _check(principal, Permission.CUSTOMER_HANDOVERS_READ)
    try:
        name, pieces = exported(principal.organisation, number)
    except NothingHere as error:
        raise Http404 from error
    return streamed(request, pieces, "application/gzip", name)


@require_safe
@member_page
def document(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Hand out a signed document."""
    _check(principal, Permission.CUSTOMER_HANDOVERS_READ, Permission.MAKER_HANDOVERS_READ)
    row = _found(documents_of(principal.organisation), number)
    return attached(row.text, "application/json", f"{row.paper}-{row.pk}.json")


_DONE: Final = {
    "accepted": _("Done. Everything of the former owner has ended for this device."),
    "declined": _("Declined. The device stays where it is."),
    "cancelled": _("Taken back. The device stays yours."),
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A way in which an owner parts with a device."""

    way: str
    form: type[forms.Form]
    act: Callable[[Device, dict[str, Any]], str]
    """Does it; returns the address of what comes next."""


def _part(request: HttpRequest, principal: Principal, device_id: str, part: _Part) -> HttpResponse:
    _check(principal, Permission.CUSTOMER_HANDOVERS_WRITE)
    device = find(principal, device_id)
    form = part.form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(part.act(device, form.cleaned_data))
        except DoorstepError as error:
            form.add_error(None, sentences(error))
    return render(request, "portal/part.html", {"device": device, "form": form, "way": part.way})


def _take(principal: Principal, row: Handover, word: str, alias: str) -> Handover:
    if word == "cancel" and row.giver == principal.organisation:
        return cancel_offer(row, principal.actor, now_us=now_us())
    if word == "accept" and principal.is_maker:
        return accept_return(row, principal.actor, now_us=now_us())
    recipient = Recipient(principal.organisation, principal.user, principal.actor)
    if word == "accept":
        return accept_transfer(row, recipient, now_us=now_us(), alias=alias)
    if word == "decline":
        return decline_offer(row, recipient, now_us=now_us())
    raise Http404


def _offer_context(principal: Principal, row: Handover, form: forms.Form) -> dict[str, Any]:
    is_giver = row.giver == principal.organisation
    is_open = row.state == "offered"
    takes = (principal.is_maker and row.way == Way.RETURN) or (principal.is_customer and not is_giver)
    may = principal.may(Permission.CUSTOMER_HANDOVERS_WRITE) or principal.may(
        Permission.MAKER_HANDOVERS_WRITE
    )
    return {
        "offer": row,
        "form": form,
        "may_cancel": is_open and is_giver and may,
        "may_accept": is_open and takes and may,
        "needs_name": principal.is_customer,
        "needs_customer": is_open and row.way == Way.TRANSFER and not principal.is_customer,
    }


def _offer(principal: Principal, number: int) -> Handover:
    _check(principal, Permission.CUSTOMER_HANDOVERS_READ, Permission.MAKER_HANDOVERS_READ)
    row: Handover = _found(offers_of(principal.organisation, principal.user), number)
    return row


def _found(rows: Any, number: int) -> Any:
    try:
        return found(rows, number)
    except NothingHere as error:
        raise Http404 from error


def _check(principal: Principal, *permissions: Permission) -> None:
    if not any(principal.may(one) for one in permissions):
        raise PermissionDenied
